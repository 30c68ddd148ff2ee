import assert from 'node:assert/strict';
import { describeGrowth, measureResources, type Resources } from '../fixtures/resources.ts';
import type { Health, Service } from '../fixtures/service.ts';
import { readTotal } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';

/** A service as it was before an attack. */
export interface Calm {
  readonly resources: readonly Resources[];
  readonly workers: Health['workers'];
}

/** Measures a service that has answered uploads and is idle. */
export async function measureCalm(service: Service): Promise<Calm> {
  await waitForIdle(service);
  return { resources: await measureResources(service), workers: (await service.health()).workers };
}

/** Waits until descriptors and requests in flight are what they were. @throws where a worker was replaced. */
export async function assertCalmAgain(service: Service, before: Calm): Promise<void> {
  let after = before.resources;
  const wait = waitFor(async () => {
    after = await measureResources(service);
    return after.every(({ descriptors }, index) => descriptors <= (before.resources[index]?.descriptors ?? 0));
  });
  await wait.finally(() => {
    console.log(`more than before: ${describeGrowth(before.resources, after)}`);
  });
  await waitForIdle(service);
  const identify = ({ pid, restarts }: Health['workers'][number]) => ({ pid, restarts });
  assert.deepEqual((await service.health()).workers.map(identify), before.workers.map(identify), 'no worker replaced');
}

async function waitForIdle(service: Service): Promise<void> {
  await waitFor(async () => (await readTotal(service.opsUrl, 'image_check_in_flight')) === 0);
}
