import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { Socket } from 'node:net';
import test from 'node:test';
import { configSchema } from '../../src/config/schema.ts';
import type { ToPrimary, ToWorker } from '../../src/ipc/messages.ts';
import { createPrimaryRouter, type Receivers } from '../../src/worker/primary-messages.ts';

type Start = Extract<ToWorker, { type: 'start' }>;
type Opened = Awaited<ReturnType<Receivers['opened']>>;

const state = { suspected: ['a'], quarantined: ['b'] };
const start: Start = {
  type: 'start',
  slot: 0,
  engine: 'wasm',
  config: configSchema.parse({}),
  warm: [],
  hung: [],
  versions: {},
  hasJournal: false,
};

/** A router of a worker whose service is built when `finish` is called. */
function createNotingRouter() {
  const calls: unknown[][] = [];
  const sent: ToPrimary[] = [];
  const server = createServer();
  let finish: (opened: Opened) => void = () => undefined;
  const opened = new Promise<Opened>((resolve) => (finish = resolve));
  let hasService = false;
  const route = createPrimaryRouter({
    open: ({ slot }) => calls.push(['open', slot]),
    service: () => (hasService ? { server, shed: (count) => calls.push(['shed', count]) } : undefined),
    opened: () => opened,
    connections: { serve: (id, socket, by) => calls.push(['serve', id, socket, by]) },
    opsClient: { receive: (id, answer) => calls.push(['receive', id, answer]) },
    drain: (because) => Promise.resolve(void calls.push(['drain', because])),
    send: (message) => sent.push(message),
  });
  const succeed = (): void => {
    hasService = true;
    finish({
      updateQuarantine: (update) => calls.push(['updateQuarantine', update]),
      refreshPolicies: () => Promise.resolve(void calls.push(['refreshPolicies'])),
    });
  };
  return {
    route,
    calls,
    sent,
    server,
    succeed,
    fail: () => {
      finish(undefined);
    },
  };
}

test('a_connection_reaches_the_server_with_its_socket', () => {
  const { route, calls, server, succeed } = createNotingRouter();
  succeed();
  const socket = new Socket();
  route({ type: 'connection', id: 3 }, socket);
  const [[verb, id, passed, by] = []] = calls;
  assert.deepEqual([verb, id], ['serve', 3]);
  assert.equal(passed, socket);
  assert.equal(by, server);
});

test('what_comes_before_the_service_is_built_waits_for_it', async () => {
  const { route, calls, succeed } = createNotingRouter();
  route(start, undefined);
  route({ type: 'quarantine', state }, undefined);
  route({ type: 'policies' }, undefined);
  await new Promise(setImmediate);
  assert.deepEqual(calls, [['open', 0]]);
  succeed();
  await new Promise(setImmediate);
  assert.deepEqual(calls.slice(1), [['updateQuarantine', state], ['refreshPolicies']]);
});

test('a_service_that_could_not_be_built_gets_nothing_and_is_drained_all_the_same', async () => {
  const { route, calls, fail } = createNotingRouter();
  fail();
  route({ type: 'quarantine', state }, undefined);
  route({ type: 'policies' }, undefined);
  route({ type: 'shed', connections: 2 }, undefined);
  await new Promise(setImmediate);
  assert.deepEqual(calls, []);
  route({ type: 'drain', because: 'shutdown' }, undefined);
  assert.deepEqual(calls, [['drain', 'shutdown']]);
});

test('a_connection_whose_socket_is_gone_or_that_comes_too_early_is_still_accounted_for', () => {
  const { route, calls } = createNotingRouter();
  route({ type: 'connection', id: 4 }, undefined);
  assert.deepEqual(calls, [['serve', 4, undefined, undefined]]);
});

test('probes_are_answered_at_once_even_before_the_service_is_built', () => {
  const { route, sent } = createNotingRouter();
  route({ type: 'probe', id: 9 }, undefined);
  assert.deepEqual(sent, [{ type: 'probed', id: 9 }]);
});

test('answers_and_orders_to_shed_are_passed_on', () => {
  const { route, calls, succeed } = createNotingRouter();
  succeed();
  const answer = { status: 200, contentType: 'text/plain', body: 'live' };
  route({ type: 'answer', id: 1, answer }, undefined);
  route({ type: 'shed', connections: 2 }, undefined);
  assert.deepEqual(calls, [
    ['receive', 1, answer],
    ['shed', 2],
  ]);
});
