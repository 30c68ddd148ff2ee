import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type SlotFacts,
  toModelStatuses,
  toServiceStatus,
  toWorkerStatus,
  type WorkerStatus,
} from '../../src/primary/ops/status-board.ts';

const emptySlot: SlotFacts = {
  index: 0,
  current: undefined,
  outgoing: new Set(),
  isDown: false,
  restarts: 0,
  death: undefined,
  deaths: 0,
};

function createStatus(slot: number, change: Partial<WorkerStatus> = {}): WorkerStatus {
  return { ...toWorkerStatus({ ...emptySlot, index: slot }, 0), ...change };
}

test('a_slot_without_a_process_is_exited_and_says_why', () => {
  const death = { reason: 'crash', text: 'crash: SIGSEGV', exitCode: undefined } as const;
  const slot = { ...emptySlot, index: 3, death, deaths: 1 };
  const { pid, stage, serving, heartbeatAgeMs, reason } = toWorkerStatus(slot, 1000);
  assert.deepEqual(
    { pid, stage, serving, heartbeatAgeMs, reason },
    { pid: null, stage: 'exited', serving: false, heartbeatAgeMs: null, reason: 'crash: SIGSEGV' },
  );
  assert.equal(toWorkerStatus({ ...slot, isDown: true }, 1000).reason, 'down after 1 deaths in a row: crash: SIGSEGV');
});

test('models_are_gathered_by_version_over_all_workers_the_newest_first', () => {
  const policies = ['default', 'strict'];
  const cold = { version: '10', engine: 'wasm', state: 'cold', policies } as const;
  const old = { version: '9', engine: 'wasm', state: 'failed', reason: 'wrong hash' } as const;
  const workers = [
    createStatus(0, { models: { quality: cold, 'quality@9': old } }),
    createStatus(1, { models: { quality: { ...cold, state: 'ready', loadMs: 7 } } }),
    createStatus(2),
  ];
  assert.deepEqual(toModelStatuses(workers), [
    {
      name: 'quality',
      version: '10',
      default: true,
      policies,
      workers: [
        { slot: 0, state: 'cold', engine: 'wasm' },
        { slot: 1, state: 'ready', engine: 'wasm', loadMs: 7 },
      ],
    },
    {
      name: 'quality',
      version: '9',
      default: false,
      workers: [{ slot: 0, state: 'failed', engine: 'wasm', reason: 'wrong hash' }],
    },
  ]);
});

test('the_service_is_ready_when_enough_workers_serve_and_never_while_it_drains', () => {
  const workers = [createStatus(0, { serving: true }), createStatus(1)];
  const facts = { minServingWorkers: 1, isDraining: false, isFailing: false };
  assert.equal(toServiceStatus(workers, facts), 'ready');
  assert.equal(toServiceStatus(workers, { ...facts, minServingWorkers: 2 }), 'unready');
  assert.equal(toServiceStatus([], facts), 'unready');
  assert.equal(toServiceStatus(workers, { ...facts, isDraining: true }), 'draining');
  assert.equal(toServiceStatus(workers, { ...facts, isFailing: true }), 'unready');
});
