import assert from 'node:assert/strict';
import test from 'node:test';
import type { OpsAnswer, ToWorker } from '../../src/ipc/messages.ts';
import { createWorkerRouter, type Sender } from '../../src/primary/worker-messages.ts';
import { createSnapshot } from '../fixtures/worker-snapshot.ts';

const snapshot = createSnapshot();
const answer: OpsAnswer = { status: 200, contentType: 'text/plain', body: 'live' };

/** A router whose receivers note what they are called with. */
function createNotingRouter() {
  const calls: unknown[][] = [];
  const note =
    (name: string) =>
    (...args: unknown[]) => {
      calls.push([name, ...args.filter((argument) => argument !== worker && typeof argument !== 'number')]);
    };
  const sent: ToWorker[] = [];
  const worker: Sender = {
    slot: 0,
    pid: 1,
    stage: 'listening',
    isServing: true,
    snapshot: undefined,
    send: (message) => sent.push(message),
    kill: note('kill'),
    sendStart: note('sendStart'),
    giveUp: (reason, exitCode) => calls.push(['giveUp', reason, exitCode]),
  };
  const onId = (name: string) => (_worker: unknown, id: number) => calls.push([name, id]);
  const route = createWorkerRouter({
    supervisor: {
      recordListening: note('recordListening'),
      recordSnapshot: note('recordSnapshot'),
      replaceHung: (_worker, reason) => Promise.resolve(void calls.push(['replaceHung', reason])),
    },
    dispatcher: {
      acknowledge: onId('acknowledge'),
      resend: onId('resend'),
      forget: onId('forget'),
      rebalance: note('rebalance'),
    },
    quarantine: {
      recordStrike: note('recordStrike'),
      clear: note('clear'),
      toState: () => ({ suspected: ['a'], quarantined: [] }),
    },
    answerOps: (path) => {
      calls.push(['answerOps', path]);
      return Promise.resolve(answer);
    },
    onProgress: note('onProgress'),
  });
  return {
    route: (message: Parameters<typeof route>[0]) => {
      route(message, worker);
    },
    calls,
    sent,
  };
}

test('a_worker_that_says_hello_is_started_and_told_the_quarantine', () => {
  const { route, calls, sent } = createNotingRouter();
  route({ type: 'hello' });
  assert.deepEqual(calls, [['sendStart']]);
  assert.deepEqual(sent, [{ type: 'quarantine', state: { suspected: ['a'], quarantined: [] } }]);
});

test('a_hung_worker_is_replaced_and_takes_no_part_in_progress', () => {
  const { route, calls } = createNotingRouter();
  route({ type: 'stuck', reason: 'a batch' });
  assert.deepEqual(calls, [['replaceHung', 'a batch']]);
});

test('a_worker_that_can_not_start_gives_up_with_its_reason_and_exit_code', () => {
  const { route, calls } = createNotingRouter();
  route({ type: 'unable', reason: 'no models folder', exitCode: 78 });
  assert.deepEqual(calls, [['giveUp', 'no models folder', 78]]);
});

test('a_snapshot_is_recorded_before_connections_are_given_out_by_it', () => {
  const { route, calls } = createNotingRouter();
  route({ type: 'listening' });
  route({ type: 'snapshot', snapshot });
  assert.deepEqual(calls, [
    ['recordListening'],
    ['onProgress'],
    ['recordSnapshot', snapshot],
    ['onProgress'],
    ['rebalance'],
  ]);
});

test('connections_are_acknowledged_resent_and_forgotten_by_their_ids', () => {
  const { route, calls } = createNotingRouter();
  route({ type: 'accepted', id: 1 });
  route({ type: 'probed', id: 2 });
  route({ type: 'closed', id: 3 });
  assert.deepEqual(calls, [
    ['acknowledge', 1],
    ['resend', 2],
    ['forget', 3],
  ]);
});

test('suspects_get_strikes_and_cleared_ones_are_forgotten', () => {
  const { route, calls } = createNotingRouter();
  route({ type: 'strike', suspects: ['a', 'b'] });
  route({ type: 'cleared', suspect: 'a' });
  assert.deepEqual(calls, [
    ['recordStrike', ['a', 'b']],
    ['clear', 'a'],
  ]);
});

test('a_question_about_operations_is_answered_under_its_id', async () => {
  const { route, calls, sent } = createNotingRouter();
  route({ type: 'ask', id: 5, path: '/livez' });
  await new Promise(setImmediate);
  assert.deepEqual(calls, [['answerOps', '/livez']]);
  assert.deepEqual(sent, [{ type: 'answer', id: 5, answer }]);
});
