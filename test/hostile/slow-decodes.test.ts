import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import test from 'node:test';
import { makePhoto } from '../fixtures/pictures.ts';
import { endUnharmed, startRunningLoad } from '../fixtures/running-load.ts';
import { startService } from '../fixtures/service.ts';
import { makeScans } from '../fixtures/slow-pictures.ts';
import { postRaw, readTotal } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { warmWorkers } from '../fixtures/warm-workers.ts';
import { makeAnimatedWebp, makeTiff } from '../image/containers.ts';
import { drawPlain, red } from '../image/fixtures.ts';

const connections = 12;
/** Answers, of whatever kind, after which the attack was long enough. */
const enoughAnswers = 8;

/** Each as costly as its header may be; what is beyond that is in `endless-parts`. */
const attacks = {
  webps_of_many_frames: async () => [
    makeAnimatedWebp(await drawPlain(red, 1, 1).webp({ lossless: true }).toBuffer(), 5000),
  ],
  tiffs_of_many_directories: () => Promise.resolve([makeTiff(2048)]),
  a_progressive_jpeg_of_twenty_scans: async () => [await makeScans(7000, 20)],
  large_avifs: async () => [await drawPlain(red, 3600, 3600).avif({ effort: 0 }).toBuffer()],
};

/** Uploads on a connection each, again and again. */
function startAttack(context: test.TestContext, url: string, pictures: readonly Buffer[]) {
  const answers: string[] = [];
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  context.after(() => {
    ending.abort();
  });
  let sent = 0;
  const attack = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const picture = pictures[sent++ % pictures.length] ?? Buffer.alloc(0);
      const answer = await postRaw(url, picture, { signal: ending.signal });
      answers.push(`${String(answer.status)} ${answer.body.code ?? ''}`);
    }
  };
  const attackers = Array.from({ length: connections }, () => attack().catch(() => undefined));
  const stop = async (): Promise<string> => {
    ending.abort();
    await Promise.all(attackers);
    const counts = [...new Set(answers)].map(
      (kind) => `${String(answers.filter((answer) => answer === kind).length)} × ${kind}`,
    );
    return counts.join(', ');
  };
  return { answers, stop };
}

for (const [name, makePictures] of Object.entries(attacks)) {
  test(`${name}_cost_no_worker_and_no_polite_client_an_answer`, async (context) => {
    const pictures = await makePictures();
    const service = await startService(context);
    const photo = await makePhoto();
    const pids = (await warmWorkers(service, photo)).map(({ pid }) => pid);
    const attack = startAttack(context, service.url, pictures);
    const polite = startRunningLoad(context, service.url, photo, { clients: 1, pauseMs: 300 });
    await waitFor(
      () => attack.answers.length >= enoughAnswers && polite.outcomes.length >= 10,
      'both got enough answers',
      60_000,
    );
    await endUnharmed(polite);
    console.log(`the attacker: ${await attack.stop()}`);
    assert.ok(!attack.answers.some((answer) => answer.startsWith('500')));
    await waitFor(async () => (await service.health()).workers.every(({ inFlight }) => inFlight === 0));
    const after = (await service.health()).workers.map(({ pid }) => pid);
    assert.deepEqual(after, pids);
    assert.equal(await readTotal(service.opsUrl, 'image_check_worker_restarts_total'), 0);
    assert.equal((await postRaw(service.url, photo)).status, 200, 'the polite picture is not quarantined');
  });
}
