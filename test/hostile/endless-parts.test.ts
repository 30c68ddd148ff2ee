import assert from 'node:assert/strict';
import test from 'node:test';
import { enlargeJpeg, makeChunks, repeatLastScan } from '../fixtures/costly-pictures.ts';
import { makePhoto } from '../fixtures/pictures.ts';
import { endUnharmed, startRunningLoad } from '../fixtures/running-load.ts';
import { type Service, startService } from '../fixtures/service.ts';
import { postForm, postRaw, readTotal } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { warmWorkers } from '../fixtures/warm-workers.ts';
import { makeAnimatedWebp, makeTiff } from '../image/containers.ts';
import { drawPlain, red } from '../image/fixtures.ts';

const connections = 8;
const rounds = 4;

/** Fails unless the polite client got every verdict, and no worker was replaced. */
async function attackBeside(
  context: Parameters<typeof startRunningLoad>[0],
  service: Service,
  attack: () => Promise<void>,
): Promise<void> {
  const photo = await makePhoto();
  const pids = (await warmWorkers(service, photo)).map(({ pid }) => pid);
  const polite = startRunningLoad(context, service.url, photo, { clients: 1, pauseMs: 300 });
  await attack();
  await waitFor(() => polite.outcomes.length >= 5);
  await endUnharmed(polite);
  const { workers } = await service.health();
  assert.deepEqual(
    workers.map(({ pid }) => pid),
    pids,
  );
  assert.equal(await readTotal(service.opsUrl, 'image_check_worker_restarts_total'), 0);
}

/** Uploads each picture again and again on every connection. */
async function uploadAll(url: string, pictures: readonly (readonly [string, Buffer])[]): Promise<string[]> {
  const answers: string[] = [];
  const upload = async (): Promise<void> => {
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, picture] of pictures) {
        const { status, body } = await postRaw(url, picture);
        answers.push(`${name}: ${String(status)} ${body.code ?? ''}, ${body.detail ?? ''}`);
      }
    }
  };
  await Promise.all(Array.from({ length: connections }, upload));
  return answers;
}

test('forms_of_six_pngs_of_empty_chunks_are_refused_and_cost_no_worker', async (context) => {
  const service = await startService(context);
  const bytes = makeChunks();
  const files = Array.from({ length: 6 }, (_, index) => ({ name: `${String(index)}.png`, bytes }));
  await attackBeside(context, service, async () => {
    for (let form = 0; form < 2; form += 1) {
      const { status, body } = await postForm(service.url, files);
      assert.deepEqual([status, body.code], [422, 'ERR_IMAGE_TOO_COSTLY']);
      assert.match(body.detail ?? '', /more than 1000 chunks before its pixels$/);
    }
  });
});

test('pictures_of_more_parts_than_real_ones_are_refused_and_harm_nobody_else', async (context) => {
  const service = await startService(context);
  const still = await drawPlain(red, 1, 1).webp({ lossless: true }).toBuffer();
  const progressive = await drawPlain(red, 64, 64).jpeg({ progressive: true }).toBuffer();
  const pictures = [
    ['webp', makeAnimatedWebp(still, 20_000)],
    ['long webp', makeAnimatedWebp(still, 150_000)],
    ['tiff', makeTiff(90_000)],
    ['ring of a tiff', makeTiff(90_000, { lastNext: 8 })],
    ['jpeg', enlargeJpeg(repeatLastScan(progressive, 60), 7000)],
  ] as const;
  await attackBeside(context, service, async () => {
    const answers = await uploadAll(service.url, pictures);
    const kinds = [...new Set(answers)];
    for (const kind of kinds) console.log(`${String(answers.filter((answer) => answer === kind).length)} × ${kind}`);
    assert.equal(answers.length, connections * rounds * pictures.length);
    // The attacker may be told to slow down.
    for (const answer of answers) assert.match(answer, /: (422 ERR_IMAGE_TOO_COSTLY|429 ERR_OVERLOADED), /);
    assert.ok(answers.some((answer) => answer.includes('ERR_IMAGE_TOO_COSTLY')));
  });
});
