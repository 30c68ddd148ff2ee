import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import { acknowledgeAll, createDispatcher, createRecipient } from '../fixtures/recipients.ts';

/** Lets the test say what time it is. */
function setClock(t: TestContext): (nowMs: number) => void {
  let nowMs = 0;
  t.mock.method(performance, 'now', () => nowMs);
  return (next) => {
    nowMs = next;
  };
}

/** A client's connection, as far as its address goes. */
function createSocket(address: string | undefined): Socket {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: address });
  return socket;
}

test('a_worker_is_given_four_connections_that_it_has_not_acknowledged_the_rest_waits_in_its_order', () => {
  const worker = createRecipient(0);
  const { dispatcher } = createDispatcher([worker.recipient]);
  for (let i = 0; i < 10; i++) dispatcher.dispatch(new Socket());
  assert.deepEqual([worker.given, dispatcher.counts.waiting], [[1, 2, 3, 4], 6]);
  dispatcher.acknowledge(worker.recipient, 1);
  assert.deepEqual(worker.given, [1, 2, 3, 4, 5]);
  acknowledgeAll(dispatcher, worker);
  assert.deepEqual(worker.given, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.deepEqual(dispatcher.counts, { open: 10, unacknowledged: 0, waiting: 0 });
});

test('a_socket_is_not_destroyed_before_its_worker_has_it_or_is_gone', (t) => {
  const setNow = setClock(t);
  const worker = createRecipient(0);
  const { dispatcher, refused } = createDispatcher([worker.recipient]);
  const socket = new Socket();
  dispatcher.dispatch(socket);
  for (const nowMs of [1001, 100_000]) {
    setNow(nowMs);
    dispatcher.expire(nowMs);
    dispatcher.closeWaiting();
  }
  assert.deepEqual([socket.destroyed, refused], [false, []]);
  dispatcher.acknowledge(worker.recipient, 1);
  assert.equal(socket.destroyed, true);
});

test('a_worker_that_does_not_take_what_it_has_is_passed_over_after_a_moment_and_gets_more_when_it_does', (t) => {
  const setNow = setClock(t);
  const [frozen, other] = [createRecipient(0), createRecipient(1)];
  const { dispatcher } = createDispatcher([frozen.recipient, other.recipient]);
  for (let i = 0; i < 20; i++) dispatcher.dispatch(new Socket());
  acknowledgeAll(dispatcher, other);
  assert.deepEqual([frozen.given.length, other.given.length], [4, 4]);
  setNow(201);
  dispatcher.flush();
  acknowledgeAll(dispatcher, other);
  assert.deepEqual([frozen.given.length, other.given.length, dispatcher.counts.waiting], [4, 16, 0]);
  acknowledgeAll(dispatcher, frozen);
  for (let i = 0; i < 4; i++) dispatcher.dispatch(new Socket());
  assert.deepEqual([frozen.given.length, other.given.length], [8, 16]);
});

test('what_never_reached_a_worker_is_sent_again_first_of_all_and_to_another_where_there_is_one', (t) => {
  const setNow = setClock(t);
  const [poor, rich] = [createRecipient(0), createRecipient(1)];
  const workers = [poor.recipient];
  const { dispatcher } = createDispatcher(workers);
  for (let i = 0; i < 6; i++) dispatcher.dispatch(new Socket());
  dispatcher.expire(1000);
  assert.deepEqual(poor.probes, []);
  dispatcher.expire(1001);
  dispatcher.expire(1250);
  assert.deepEqual(poor.probes, [1]);
  dispatcher.acknowledge(poor.recipient, 2);
  setNow(1300);
  dispatcher.resend(poor.recipient, 7);
  assert.deepEqual(dispatcher.counts, { open: 1, unacknowledged: 4, waiting: 1 }, 'the answer to another probe');
  dispatcher.resend(poor.recipient, 1);
  // The fifth was sent after the probe: it may still be on its way.
  assert.deepEqual(dispatcher.counts, { open: 1, unacknowledged: 1, waiting: 4 });
  workers.push(rich.recipient);
  dispatcher.flush();
  assert.deepEqual(rich.given, [1, 3, 4, 6]);
  assert.deepEqual(poor.given, [1, 2, 3, 4, 5]);
});

test('a_worker_without_another_beside_it_gets_what_it_lost_a_second_later_again_and_again', (t) => {
  const setNow = setClock(t);
  const worker = createRecipient(0);
  const { dispatcher } = createDispatcher([worker.recipient]);
  dispatcher.dispatch(new Socket());
  for (const [round, nowMs] of [2000, 6000, 10_000].entries()) {
    setNow(nowMs);
    dispatcher.expire(nowMs);
    dispatcher.resend(worker.recipient, round + 1);
    dispatcher.flush();
    assert.equal(worker.given.length, round + 1);
    setNow(nowMs + 1000);
    dispatcher.flush();
  }
  assert.deepEqual(worker.given, [1, 1, 1, 1]);
  dispatcher.acknowledge(worker.recipient, 1);
  assert.deepEqual(dispatcher.counts, { open: 1, unacknowledged: 0, waiting: 0 });
});

test('a_worker_is_replaced_only_when_snapshots_of_it_arrive_and_the_answer_to_a_probe_does_not', (t) => {
  const setNow = setClock(t);
  const worker = createRecipient(0);
  const { dispatcher } = createDispatcher([worker.recipient]);
  const socket = new Socket();
  dispatcher.dispatch(socket);
  const beat = (nowMs: number): void => {
    setNow(nowMs);
    dispatcher.expire(nowMs);
    dispatcher.rebalance(worker.recipient, nowMs);
  };
  setNow(60_000);
  dispatcher.expire(60_000);
  dispatcher.expire(120_000);
  assert.deepEqual(worker.kills, [], 'silent: that is what the heartbeat is for');
  beat(120_001);
  beat(120_002);
  assert.deepEqual(worker.kills, [], 'what was said while the primary was stopped');
  beat(120_003);
  assert.deepEqual(worker.kills, ['unreachable']);
  dispatcher.reclaim(worker.recipient);
  assert.deepEqual([socket.destroyed, worker.given], [false, [1, 1]]);
});

test('a_slow_worker_that_answers_its_probes_is_not_replaced', (t) => {
  const setNow = setClock(t);
  const worker = createRecipient(0);
  const { dispatcher } = createDispatcher([worker.recipient]);
  for (let nowMs = 2000; nowMs < 60_000; nowMs += 1500) {
    dispatcher.dispatch(new Socket());
    setNow(nowMs);
    dispatcher.expire(nowMs);
    dispatcher.rebalance(worker.recipient, nowMs);
    for (const id of worker.given.splice(0)) dispatcher.acknowledge(worker.recipient, id);
    for (const id of worker.probes.splice(0)) dispatcher.resend(worker.recipient, id);
  }
  assert.deepEqual(worker.kills, []);
});

test('what_waits_for_a_worker_for_too_long_is_refused_in_the_end_also_what_none_can_take', (t) => {
  const setNow = setClock(t);
  const workers = [createRecipient(0).recipient];
  const { dispatcher, refused } = createDispatcher(workers, { maxWaitMs: 1000 });
  for (let i = 0; i < 6; i++) dispatcher.dispatch(new Socket());
  setNow(1001);
  dispatcher.expire(1001);
  assert.deepEqual(refused, ['no_worker', 'no_worker'], 'not those that the worker may have');
  const [worker] = workers.splice(0);
  assert.ok(worker !== undefined);
  dispatcher.reclaim(worker);
  dispatcher.expire(1001);
  assert.equal(refused.length, 6);
  assert.deepEqual(dispatcher.counts, { open: 0, unacknowledged: 0, waiting: 0 });
});

test('connections_above_server_maxConnections_are_refused_whatever_they_wait_for', () => {
  const worker = createRecipient(0);
  const { dispatcher, refused } = createDispatcher([worker.recipient], { maxConnections: 6 });
  for (let i = 0; i < 8; i++) dispatcher.dispatch(new Socket());
  assert.deepEqual(refused, ['max_connections', 'max_connections']);
  acknowledgeAll(dispatcher, worker);
  dispatcher.forget(worker.recipient, 1);
  dispatcher.dispatch(new Socket());
  assert.equal(refused.length, 2);
});

test('connections_that_no_worker_has_descriptors_for_are_refused_and_so_are_those_that_the_primary_has_none_for', () => {
  const workers = [createRecipient(0), createRecipient(1)];
  const recipients = workers.map(({ recipient }) => recipient);
  const { dispatcher, refused } = createDispatcher(recipients, { maxHeld: 5 });
  for (let i = 0; i < 12; i++) {
    dispatcher.dispatch(new Socket());
    acknowledgeAll(dispatcher, ...workers);
  }
  assert.deepEqual(refused, ['descriptors', 'descriptors']);
  const primary = createDispatcher([], { maxHeld: 5 });
  for (let i = 0; i < 6; i++) primary.dispatcher.dispatch(new Socket());
  assert.deepEqual(primary.refused, ['descriptors']);
});

test('an_address_gets_no_more_connections_than_server_maxConnectionsPerAddress_and_others_still_do', () => {
  const worker = createRecipient(0);
  const { dispatcher, refused } = createDispatcher([worker.recipient], { maxConnectionsPerAddress: 3 });
  for (let i = 0; i < 5; i++) dispatcher.dispatch(createSocket('192.0.2.1'));
  dispatcher.dispatch(createSocket('192.0.2.2'));
  // Gone before it was accepted: it has no address any more.
  dispatcher.dispatch(createSocket(undefined));
  assert.deepEqual(refused, ['max_connections_per_address', 'max_connections_per_address']);
  acknowledgeAll(dispatcher, worker);
  dispatcher.forget(worker.recipient, 2);
  dispatcher.dispatch(createSocket('192.0.2.1'));
  dispatcher.dispatch(createSocket('192.0.2.1'));
  assert.equal(refused.length, 3);
});

test('an_address_that_lost_its_connections_with_their_worker_may_have_others', () => {
  const workers = [createRecipient(0)];
  const recipients = workers.map(({ recipient }) => recipient);
  const { dispatcher, refused } = createDispatcher(recipients, { maxConnectionsPerAddress: 6 });
  for (let i = 0; i < 6; i++) dispatcher.dispatch(createSocket('192.0.2.1'));
  for (const { recipient, given } of workers) for (const id of given.slice(0, 2)) dispatcher.acknowledge(recipient, id);
  const [worker] = recipients.splice(0);
  assert.ok(worker !== undefined);
  dispatcher.reclaim(worker);
  for (let i = 0; i < 3; i++) dispatcher.dispatch(createSocket('192.0.2.1'));
  assert.deepEqual([refused, dispatcher.counts.waiting], [['max_connections_per_address'], 6]);
  dispatcher.closeWaiting();
  dispatcher.dispatch(createSocket('192.0.2.1'));
  assert.equal(refused.filter((reason) => reason === 'max_connections_per_address').length, 1);
});

test('connections_of_a_trusted_proxy_are_not_counted_by_its_address', () => {
  const { dispatcher, refused } = createDispatcher([createRecipient(0).recipient], {
    maxConnectionsPerAddress: 1,
    isTrustedProxy: (address) => address === '192.0.2.9',
  });
  for (let i = 0; i < 3; i++) dispatcher.dispatch(createSocket('192.0.2.9'));
  assert.deepEqual(refused, []);
});
