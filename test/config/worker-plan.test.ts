import assert from 'node:assert/strict';
import test from 'node:test';
import { configSchema } from '../../src/config/schema.ts';
import { planWorkers } from '../../src/config/worker-plan.ts';

const megabyte = 1e6;

function plan(config: object, memoryMegabytes: number | undefined, cpus = 4): number {
  const memoryBytes = memoryMegabytes === undefined ? undefined : memoryMegabytes * megabyte;
  return planWorkers(configSchema.parse(config), { cpus, memoryBytes }).count;
}

test('without_a_memory_limit_there_is_one_worker_for_each_CPU', () => {
  assert.equal(plan({}, undefined), 4);
});

test('a_memory_limit_holds_fewer_workers_and_at_least_one', () => {
  assert.equal(plan({}, 2000), 4);
  assert.equal(plan({}, 1000), 3);
  assert.equal(plan({}, 512), 1);
  assert.equal(plan({}, 130), 1);
});

test('further_threads_of_a_model_take_memory_too', () => {
  assert.equal(plan({ worker: { modelThreads: 4 } }, 1000), 1);
});

test('a_number_of_workers_that_is_configured_is_kept_and_the_line_says_that_it_does_not_fit', () => {
  assert.equal(plan({ workers: 8 }, 1000), 8);
  const { reason } = planWorkers(configSchema.parse({ workers: 8 }), { cpus: 4, memoryBytes: 1000 * megabyte });
  assert.match(reason, /^4 CPUs, a memory limit of 1000 MB, .*: the kernel may kill workers for memory$/);
});
