import assert from 'node:assert/strict';
import test from 'node:test';
import { configSchema } from '../../src/config/schema.ts';
import { createLogger } from '../../src/log.ts';
import { restartLimits } from '../../src/primary/supervise/restart-policy.ts';
import type { Slot } from '../../src/primary/supervise/slot.ts';
import { Supervisor } from '../../src/primary/supervise/supervisor.ts';

const config = configSchema.parse({});

function createSupervisor(): Supervisor {
  const ignore = (): void => undefined;
  const listener = { onMessage: ignore, onReap: ignore, onRestart: ignore, onAllDown: ignore, onTick: ignore };
  const log = createLogger({ level: 'error', format: 'json' }, {});
  return new Supervisor({
    ...{ workerCount: 0, engine: 'wasm', config, restartLimits, earlyWorker: undefined, listener, log },
  });
}

/** A slot whose replacements take a moment, and which counts those that overlap. */
function createSlowSlot() {
  const pending: Promise<undefined>[] = [];
  let overlaps = 0;
  const slot = {
    get isChanging() {
      return pending.length > 0;
    },
    waitForReplacement: async () => {
      await pending[0];
    },
    replace: (): Promise<undefined> => {
      if (pending.length > 0) overlaps += 1;
      const change = new Promise<undefined>((resolve) => {
        setImmediate(() => {
          void pending.shift();
          resolve(undefined);
        });
      });
      pending.push(change);
      return change;
    },
  };
  return { slot: slot as unknown as Slot, overlaps: () => overlaps };
}

test('replacements_of_one_slot_that_are_asked_for_at_once_follow_one_another', async () => {
  const supervisor = createSupervisor();
  const { slot, overlaps } = createSlowSlot();
  const replace = (): Promise<string | undefined> => supervisor.replace(slot, config, 'reload');
  // The first starts at once; the others wait for the same one.
  assert.deepEqual(await Promise.all([replace(), replace(), replace()]), [undefined, undefined, undefined]);
  assert.equal(overlaps(), 0);
});
