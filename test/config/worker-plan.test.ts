import assert from 'node:assert/strict';
import test from 'node:test';
import { configSchema } from '../../src/config/schema.ts';
import { planWorkers } from '../../src/config/worker-plan.ts';

const megabyte = 1e6;

function plan(config: object, memoryMegabytes: number | undefined, cpus = 4): number {
  const memoryBytes = memoryMegabytes === undefined ? undefined : memoryMegabytes * megabyte;
  return planWorkers(configSchema.parse(config), { cpus, memoryBytes }).count;
}

test('without a memory limit there is one worker for each CPU', () => {
  assert.equal(plan({}, undefined), 4);
});

test('a memory limit holds fewer workers, and at least one', () => {
  assert.equal(plan({}, 2000), 4);
  assert.equal(plan({}, 1000), 3);
  assert.equal(plan({}, 512), 1);
  assert.equal(plan({}, 130), 1);
});

test('further threads of a model take memory, too', () => {
  assert.equal(plan({ worker: { modelThreads: 4 } }, 1000), 1);
});

test('a number of workers that is configured is kept, and the line says that it does not fit', () => {
  assert.equal(plan({ workers: 8 }, 1000), 8);
  const { reason } = planWorkers(configSchema.parse({ workers: 8 }), { cpus: 4, memoryBytes: 1000 * megabyte });
  assert.match(reason, /^4 CPUs, a memory limit of 1000 MB, .*: expect workers to be killed by the kernel$/);
});
