import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { connect, Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import type { Dispatcher, Recipient } from '../../src/primary/dispatcher.ts';
import { ask, startPrimaryProcess, until } from '../fixtures/primary-harness.ts';
import { acknowledgeAll, createDispatcher, createRecipient, type NotingRecipient } from '../fixtures/recipients.ts';

/** Opens a connection. */
async function open(t: TestContext, port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.resume();
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

test('connections that come before any worker serves wait for one', async (t) => {
  const primary = await startPrimaryProcess(t);
  assert.equal((await primary.health()).status, 'unready');
  const answers = await Promise.all(Array.from({ length: 20 }, () => primary.whoAnswers()));
  assert.equal(answers.length, 20);
});

test('a frozen worker is passed over, and what it never acknowledged is answered by another when it dies', async (t) => {
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
  await until(() => answered === 16, 'the other worker has answered all but the few that were under way to the first');
  process.kill(frozen, 'SIGKILL');
  for (const { slot, bytes } of await Promise.all(requests)) {
    assert.deepEqual({ slot, bytes }, { slot: 1, bytes: 200_000 });
  }
});

test('a worker that loses connections gets them again until it takes them, and is not replaced', async (t) => {
  const primary = await startPrimaryProcess(t, { config: { models: { dir: 'lose-connections' } }, workerCount: 1 });
  await primary.serving(1);
  const answers = await Promise.all(Array.from({ length: 6 }, () => primary.whoAnswers()));
  assert.equal(answers.length, 6);
  assert.match(primary.log, /connections did not reach the worker/);
  assert.equal((await primary.serving(1)).workers[0]?.restarts, 0);
});

test('a worker that lives but hears nothing is replaced, and what it was given is served by another', async (t) => {
  const config = { supervisor: { heartbeatTimeoutMs: 3000 }, models: { dir: 'deaf' } };
  const primary = await startPrimaryProcess(t, { config });
  await primary.serving();
  const answers = await Promise.all(Array.from({ length: 8 }, () => primary.whoAnswers()));
  assert.deepEqual(
    answers.map(({ slot }) => slot),
    Array.from({ length: 8 }, () => 1),
  );
  const reason = { reason: 'unreachable' };
  await until(async () => (await primary.metric('image_check_worker_restarts_total', reason)) === 1, 'it is replaced');
});

test('a connection waits for a worker no longer than the boot timeout', async (t) => {
  const config = { supervisor: { bootTimeoutMs: 1000 }, models: { dir: 'never-listen' } };
  const primary = await startPrimaryProcess(t, { config });
  const { status, headers } = await ask(primary.publicPort, '/');
  assert.deepEqual([status, headers['retry-after']], [503, '1']);
  assert.equal(await primary.metric('image_check_connections_refused_total', { reason: 'no_worker' }), 1);
});

test('connections over the limit are refused at once, and the place of one that ends is free again', async (t) => {
  const primary = await startPrimaryProcess(t, { config: { server: { maxConnections: 2 } } });
  await primary.serving();
  const first = await open(t, primary.publicPort);
  await open(t, primary.publicPort);
  await until(async () => (await primary.health()).workers.every(({ inFlight }) => inFlight === 1), 'both are taken');
  const refused = await ask(primary.publicPort, '/', { method: 'POST', body: 'x'.repeat(500_000) });
  assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '1']);
  assert.match(refused.body, /"code":"ERR_OVERLOADED"/);
  assert.equal(await primary.metric('image_check_connections_refused_total', { reason: 'max_connections' }), 1);
  first.destroy();
  await until(() => primary.whoAnswers().catch(() => undefined), 'a third is taken');
});

test('clients that go away while they wait for a worker leave nothing behind', async (t) => {
  const primary = await startPrimaryProcess(t, { config: { server: { maxConnections: 50 } } });
  for (let i = 0; i < 50; i++) (await open(t, primary.publicPort)).resetAndDestroy();
  await primary.serving();
  const answers = await until(
    () => Promise.all(Array.from({ length: 50 }, () => primary.whoAnswers())).catch(() => undefined),
    'fifty new ones are answered',
  );
  assert.equal(answers.length, 50);
  assert.equal(primary.child.exitCode, null);
});

test('kept connections that all fell to one worker are shared out again, without a failed request', async (t) => {
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
  await until(async () => {
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

test('the worker with the fewest open connections is next; among equals whoever waited longest', () => {
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

test('a worker that does not serve gets connections only where none serves; one that drains never', () => {
  const serving = createRecipient(0);
  const failed = createRecipient(1, { isServing: false });
  const draining = createRecipient(2, { stage: 'draining' });
  for (const workers of [[serving, failed, draining], [failed, draining], [draining]]) {
    createDispatcher(workers.map(({ recipient }) => recipient)).dispatcher.dispatch(new Socket());
  }
  assert.deepEqual([serving.given.length, failed.given.length, draining.given.length], [1, 1, 0]);
});

test('a channel that breaks while a connection is sent does not lose it', () => {
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

test('a burst of clients is shared out evenly, whatever snapshots come in the midst of it', () => {
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

test('new clients do not pass for the idle ones that have left', () => {
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

test('a worker whose connections are idle gets the next ones, not one that is busy with as many', () => {
  const [busy, idle] = [createRecipient(0), createRecipient(1)];
  const { dispatcher } = createDispatcher([busy.recipient, idle.recipient]);
  for (let i = 0; i < 8; i++) dispatcher.dispatch(new Socket());
  acknowledgeAll(dispatcher, busy, idle);
  occupy(dispatcher, busy, { inFlight: 4 });
  occupy(dispatcher, idle, { inFlight: 0 });
  for (let i = 0; i < 4; i++) dispatcher.dispatch(new Socket());
  assert.deepEqual([busy.given.length, idle.given.length], [5, 7]);
});

test('idle connections count a little: one request in flight does not send all others elsewhere for ever', () => {
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

test('a worker with clearly more in flight sheds what is above the mean, once a second', () => {
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

test('after a burst of clients the worker that tells of them first sheds none', () => {
  const [early, late] = [createRecipient(0), createRecipient(1)];
  const { dispatcher } = createDispatcher([early.recipient, late.recipient]);
  for (let i = 0; i < 32; i++) dispatcher.dispatch(new Socket());
  acknowledgeAll(dispatcher, early, late);
  occupy(dispatcher, early, { inFlight: 16 });
  assert.deepEqual([early.shed, late.shed], [[], []]);
});

test('nobody sheds to a worker that does not serve, and one that does not serve sheds nothing', () => {
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
