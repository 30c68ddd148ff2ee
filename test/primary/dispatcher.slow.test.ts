import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { connect, Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import type { Dispatcher, Recipient } from '../../src/primary/dispatch/dispatcher.ts';
import { ask, startPrimaryProcess } from '../fixtures/primary-harness.ts';
import { acknowledgeAll, createDispatcher, createRecipient, type NotingRecipient } from '../fixtures/recipients.ts';
import { waitFor } from '../fixtures/wait-for.ts';

/** Opens a connection. */
async function open(t: TestContext, port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.resume();
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

test('connections_that_come_before_any_worker_serves_wait_for_one', async (t) => {
  const primary = await startPrimaryProcess(t);
  assert.equal((await primary.health()).status, 'unready');
  const answers = await Promise.all(Array.from({ length: 20 }, () => primary.whoAnswers()));
  assert.equal(answers.length, 20);
});

test('a_frozen_worker_is_passed_over_and_what_it_never_acknowledged_is_answered_by_another_when_it_dies', async (t) => {
  const primary = await startPrimaryProcess(t);
  const [frozen] = primary.pids(await primary.serving());
  assert.ok(frozen !== undefined);
  process.kill(frozen, 'SIGSTOP');
  const body = 'x'.repeat(200_000);
  let answered = 0;
  const requests = Array.from({ length: 20 }, async () => {
    const answer = await primary.whoAnswers('/?ms=300', { method: 'POST', body });
    answered += 1;
    return answer;
  });
  await waitFor(
    () => answered === 16,
    'the other worker has answered all but the few that were under way to the first',
  );
  process.kill(frozen, 'SIGKILL');
  for (const { slot, bytes } of await Promise.all(requests)) {
    assert.deepEqual({ slot, bytes }, { slot: 1, bytes: 200_000 });
  }
});

test('a_worker_that_loses_connections_gets_them_again_until_it_takes_them_and_is_not_replaced', async (t) => {
  const primary = await startPrimaryProcess(t, { config: { models: { dir: 'lose-connections' } }, workerCount: 1 });
  await primary.serving(1);
  const answers = await Promise.all(Array.from({ length: 6 }, () => primary.whoAnswers()));
  assert.equal(answers.length, 6);
  assert.match(primary.log, /connections did not reach the worker/);
  assert.equal((await primary.serving(1)).workers[0]?.restarts, 0);
});

test('a_worker_that_lives_but_hears_nothing_is_replaced_and_what_it_was_given_is_served_by_another', async (t) => {
  const config = { supervisor: { heartbeatTimeoutMs: 3000 }, models: { dir: 'deaf' } };
  const primary = await startPrimaryProcess(t, { config });
  await primary.serving();
  const answers = await Promise.all(Array.from({ length: 8 }, () => primary.whoAnswers()));
  assert.deepEqual(
    answers.map(({ slot }) => slot),
    Array.from({ length: 8 }, () => 1),
  );
  const reason = { reason: 'unreachable' };
  await waitFor(
    async () => (await primary.metric('image_check_worker_restarts_total', reason)) === 1,
    'it is replaced',
  );
});

test('a_connection_waits_for_a_worker_no_longer_than_the_boot_timeout', async (t) => {
  const config = { supervisor: { bootTimeoutMs: 1000 }, models: { dir: 'never-listen' } };
  const primary = await startPrimaryProcess(t, { config });
  const { status, headers } = await ask(primary.publicPort, '/');
  assert.deepEqual([status, headers['retry-after']], [503, '1']);
  assert.equal(await primary.metric('image_check_connections_refused_total', { reason: 'no_worker' }), 1);
});

test('connections_over_the_limit_are_refused_at_once_and_the_place_of_one_that_ends_is_free_again', async (t) => {
  const primary = await startPrimaryProcess(t, { config: { server: { maxConnections: 2 } } });
  await primary.serving();
  const first = await open(t, primary.publicPort);
  await open(t, primary.publicPort);
  await waitFor(async () => (await primary.health()).workers.every(({ inFlight }) => inFlight === 1), 'both are taken');
  const refused = await ask(primary.publicPort, '/', { method: 'POST', body: 'x'.repeat(500_000) });
  assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '1']);
  assert.match(refused.body, /"code":"ERR_OVERLOADED"/);
  assert.equal(await primary.metric('image_check_connections_refused_total', { reason: 'max_connections' }), 1);
  first.destroy();
  await waitFor(() => primary.whoAnswers().catch(() => undefined), 'a third is taken');
});

test('clients_that_go_away_while_they_wait_for_a_worker_leave_nothing_behind', async (t) => {
  const primary = await startPrimaryProcess(t, { config: { server: { maxConnections: 50 } } });
  for (let i = 0; i < 50; i++) (await open(t, primary.publicPort)).resetAndDestroy();
  await primary.serving();
  const answers = await waitFor(async () => {
    // All of a round end before the next one begins: what still runs counts towards the limit.
    const round = await Promise.allSettled(Array.from({ length: 50 }, () => primary.whoAnswers()));
    const answered = round.filter(({ status }) => status === 'fulfilled');
    return answered.length === round.length && answered;
  }, 'fifty new ones are answered');
  assert.equal(answers.length, 50);
  assert.equal(primary.child.exitCode, null);
});

test('kept_connections_that_all_fell_to_one_worker_are_shared_out_again_without_a_failed_request', async (t) => {
  const primary = await startPrimaryProcess(t);
  await primary.serving();
  const clients = await Promise.all(
    Array.from({ length: 24 }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      t.after(() => {
        agent.destroy();
      });
      return { agent, slot: (await primary.whoAnswers('/', { agent })).slot };
    }),
  );
  const [left, right] = [0, 1].map((wanted) => clients.filter(({ slot }) => slot === wanted));
  assert.deepEqual([left?.length, right?.length], [12, 12]);
  for (const { agent } of right ?? []) agent.destroy();
  await waitFor(async () => {
    const answers = await Promise.all((left ?? []).map(({ agent }) => primary.whoAnswers('/', { agent })));
    const moved = answers.filter(({ slot }) => slot === 1).length;
    // A snapshot taken while the twelve others still close asks for fewer than six, after which neither has clearly more.
    return moved >= 4 && moved <= 8;
  }, 'of the twelve that are left neither has clearly more');
  const { workers } = await primary.serving();
  assert.deepEqual(
    workers.map(({ restarts }) => restarts),
    [0, 0],
  );
});

test('the_worker_with_the_fewest_open_connections_is_next_among_equals_the_one_that_waited_longest', () => {
  const [left, right] = [createRecipient(0), createRecipient(1)];
  const { dispatcher } = createDispatcher([left.recipient, right.recipient]);
  for (let i = 0; i < 4; i++) dispatcher.dispatch(new Socket());
  assert.deepEqual(
    [left.given, right.given],
    [
      [1, 3],
      [2, 4],
    ],
  );
  for (const id of right.given) dispatcher.acknowledge(right.recipient, id);
  dispatcher.forget(right.recipient, 2);
  dispatcher.forget(right.recipient, 4);
  dispatcher.dispatch(new Socket());
  dispatcher.dispatch(new Socket());
  assert.deepEqual(right.given, [2, 4, 5, 6]);
  assert.deepEqual(dispatcher.counts, { open: 0, unacknowledged: 4, waiting: 0 });
});

test('a_worker_that_does_not_serve_gets_connections_only_where_none_serves_one_that_drains_never', () => {
  const serving = createRecipient(0);
  const failed = createRecipient(1, { isServing: false });
  const draining = createRecipient(2, { stage: 'draining' });
  for (const workers of [[serving, failed, draining], [failed, draining], [draining]]) {
    createDispatcher(workers.map(({ recipient }) => recipient)).dispatcher.dispatch(new Socket());
  }
  assert.deepEqual([serving.given.length, failed.given.length, draining.given.length], [1, 1, 0]);
});

test('a_channel_that_breaks_while_a_connection_is_sent_does_not_lose_it', () => {
  const whole = createRecipient(0);
  let isBroken = true;
  const broken: Recipient = {
    ...whole.recipient,
    send: (message, socket, onError) => {
      if (isBroken) onError?.();
      else whole.recipient.send(message, socket, onError);
    },
  };
  const { dispatcher } = createDispatcher([broken]);
  dispatcher.dispatch(new Socket());
  assert.deepEqual([whole.given, dispatcher.counts.waiting], [[], 1]);
  isBroken = false;
  dispatcher.flush();
  assert.deepEqual([whole.given, dispatcher.counts.waiting], [[1], 0]);
});

/** Gives a worker connections of which some have a request in flight, as its next two snapshots tell. */
function occupy(
  dispatcher: Dispatcher,
  { recipient, snapshot }: NotingRecipient,
  { inFlight }: { inFlight: number },
): void {
  snapshot.inFlight = inFlight;
  dispatcher.rebalance(recipient, 0);
  dispatcher.rebalance(recipient, 0);
}

test('a_burst_of_clients_is_shared_out_evenly_whatever_snapshots_come_in_the_midst_of_it', () => {
  const [left, right] = [createRecipient(0), createRecipient(1)];
  const { dispatcher } = createDispatcher([left.recipient, right.recipient]);
  for (let i = 0; i < 16; i++) dispatcher.dispatch(new Socket());
  for (const id of left.given) dispatcher.acknowledge(left.recipient, id);
  // Taken before the requests of what it has just acknowledged were read.
  dispatcher.rebalance(left.recipient, 0);
  for (let i = 0; i < 16; i++) dispatcher.dispatch(new Socket());
  acknowledgeAll(dispatcher, left, right);
  assert.deepEqual([left.given.length, right.given.length], [16, 16]);
});

test('new_clients_do_not_pass_for_the_idle_ones_that_have_left', () => {
  const [left, right] = [createRecipient(0), createRecipient(1)];
  const { dispatcher } = createDispatcher([left.recipient, right.recipient]);
  for (let i = 0; i < 16; i++) dispatcher.dispatch(new Socket());
  acknowledgeAll(dispatcher, left, right);
  occupy(dispatcher, left, { inFlight: 0 });
  occupy(dispatcher, right, { inFlight: 8 });
  for (const { recipient, given } of [left, right]) for (const id of given) dispatcher.forget(recipient, id);
  for (let i = 0; i < 16; i++) {
    dispatcher.dispatch(new Socket());
    for (const { recipient, given } of [left, right]) dispatcher.acknowledge(recipient, given.at(-1) ?? 0);
  }
  assert.deepEqual([left.given.length, right.given.length], [16, 16]);
});

test('a_worker_whose_connections_are_idle_gets_the_next_ones_not_one_that_is_busy_with_as_many', () => {
  const [busy, idle] = [createRecipient(0), createRecipient(1)];
  const { dispatcher } = createDispatcher([busy.recipient, idle.recipient]);
  for (let i = 0; i < 8; i++) dispatcher.dispatch(new Socket());
  acknowledgeAll(dispatcher, busy, idle);
  occupy(dispatcher, busy, { inFlight: 4 });
  occupy(dispatcher, idle, { inFlight: 0 });
  for (let i = 0; i < 4; i++) dispatcher.dispatch(new Socket());
  assert.deepEqual([busy.given.length, idle.given.length], [5, 7]);
});

test('idle_connections_count_a_little_one_request_in_flight_does_not_send_all_others_elsewhere_indefinitely', () => {
  const [busy, idle] = [createRecipient(0), createRecipient(1)];
  const { dispatcher } = createDispatcher([busy.recipient, idle.recipient]);
  for (let i = 0; i < 40; i++) {
    dispatcher.dispatch(new Socket());
    acknowledgeAll(dispatcher, busy, idle);
    occupy(dispatcher, busy, { inFlight: 1 });
    occupy(dispatcher, idle, { inFlight: 0 });
  }
  assert.ok(busy.given.length > 15, `${String(busy.given.length)} of 40`);
});

test('a_worker_with_clearly_more_in_flight_sheds_what_is_above_the_mean_once_a_second', () => {
  const [hot, cool] = [createRecipient(0), createRecipient(1)];
  const { dispatcher } = createDispatcher([hot.recipient, cool.recipient]);
  for (let i = 0; i < 40; i++) dispatcher.dispatch(new Socket());
  acknowledgeAll(dispatcher, hot, cool);
  occupy(dispatcher, cool, { inFlight: 2 });
  occupy(dispatcher, hot, { inFlight: 16 });
  for (const nowMs of [200, 999, 1000, 1200]) dispatcher.rebalance(hot.recipient, nowMs);
  dispatcher.rebalance(cool.recipient, 1200);
  assert.deepEqual([hot.shed, cool.shed], [[7, 7], []]);
});

test('after_a_burst_of_clients_the_worker_that_tells_of_them_first_sheds_none', () => {
  const [early, late] = [createRecipient(0), createRecipient(1)];
  const { dispatcher } = createDispatcher([early.recipient, late.recipient]);
  for (let i = 0; i < 32; i++) dispatcher.dispatch(new Socket());
  acknowledgeAll(dispatcher, early, late);
  occupy(dispatcher, early, { inFlight: 16 });
  assert.deepEqual([early.shed, late.shed], [[], []]);
});

test('nobody_sheds_to_a_worker_that_does_not_serve_and_one_that_does_not_serve_sheds_nothing', () => {
  const hot = createRecipient(0);
  const others = [
    createRecipient(1, { isServing: false }),
    createRecipient(2, { stage: 'draining', isServing: false }),
  ];
  const { dispatcher } = createDispatcher([hot, ...others].map(({ recipient }) => recipient));
  for (let i = 0; i < 20; i++) dispatcher.dispatch(new Socket());
  acknowledgeAll(dispatcher, hot, ...others);
  occupy(dispatcher, hot, { inFlight: 20 });
  for (const other of others) {
    other.snapshot.inFlight = 100;
    dispatcher.rebalance(other.recipient, 0);
  }
  assert.deepEqual(
    [hot, ...others].map(({ shed }) => shed),
    [[], [], []],
  );
});
