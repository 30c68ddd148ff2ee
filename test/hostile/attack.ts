import assert from 'node:assert/strict';
import { makePhoto } from '../fixtures/pictures.ts';
import { endUnharmed, startRunningLoad } from '../fixtures/running-load.ts';
import type { Service } from '../fixtures/service.ts';
import { postRaw, readTotal } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { warmWorkers } from '../fixtures/warm-workers.ts';

const connections = 8;

/** A name and the bytes of a picture. */
export type NamedPicture = readonly [name: string, picture: Buffer];

/** Fails unless a polite client beside the attack got every verdict, and no worker was replaced. */
export async function attackBesidePolite(
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

/** Uploads each picture several times on each of eight connections, and prints how often each answer came. */
export async function uploadAll(url: string, pictures: readonly NamedPicture[], rounds: number): Promise<string[]> {
  const answers: string[] = [];
  const upload = async (): Promise<void> => {
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, picture] of pictures) {
        const { status, body } = await postRaw(url, picture);
        answers.push(`${name}: ${String(status)} ${body.code ?? ''}`);
      }
    }
  };
  await Promise.all(Array.from({ length: connections }, upload));
  for (const kind of new Set(answers)) {
    console.log(`${String(answers.filter((answer) => answer === kind).length)} × ${kind}`);
  }
  assert.equal(answers.length, connections * rounds * pictures.length);
  return answers;
}
