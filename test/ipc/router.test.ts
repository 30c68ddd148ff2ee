import assert from 'node:assert/strict';
import test from 'node:test';
import { toPrimaryMessage, toWorkerMessage } from '../../src/ipc/messages.ts';
import { createRouter, type MessageHandlers } from '../../src/ipc/router.ts';

type Order = { readonly type: 'open'; readonly id: number } | { readonly type: 'close'; readonly reason: string };

function createHandlers(calls: unknown[]): MessageHandlers<Order, string> {
  return {
    open: ({ id }, source) => calls.push(['open', id, source]),
    close: ({ reason }, source) => calls.push(['close', reason, source]),
  };
}

test('each_message_reaches_the_handler_of_its_type_with_its_source', () => {
  const calls: unknown[] = [];
  const route = createRouter(createHandlers(calls));
  route({ type: 'close', reason: 'idle' }, 'worker 1');
  route({ type: 'open', id: 7 }, 'worker 2');
  assert.deepEqual(calls, [
    ['close', 'idle', 'worker 1'],
    ['open', 7, 'worker 2'],
  ]);
});

test('a_router_without_a_handler_for_a_type_does_not_compile', () => {
  const { open } = createHandlers([]);
  // @ts-expect-error there is no handler of close
  const route = createRouter<Order, string>({ open });
  assert.throws(() => {
    route({ type: 'close', reason: 'idle' }, 'worker 1');
  }, TypeError);
});

test('a_handler_for_an_unknown_type_does_not_compile', () => {
  // @ts-expect-error no message has the type reset
  createRouter<Order, string>({ ...createHandlers([]), reset: () => undefined });
});

test('messages_of_pm2_and_of_modules_and_malformed_ones_pass_no_guard', () => {
  const foreign = [
    undefined,
    null,
    'ready',
    7,
    [],
    {},
    { type: 'axm:monitor', data: {} },
    { node_version: '20' },
    { type: 'snapshot', snapshot: 'not one' },
    { type: 'accepted', id: 'seven' },
    { type: 'accepted' },
    { type: 'constructor' },
    { type: '__proto__' },
  ];
  for (const received of foreign) {
    assert.equal(toPrimaryMessage(received), undefined, JSON.stringify(received));
    assert.equal(toWorkerMessage(received), undefined, JSON.stringify(received));
  }
});

test('each_direction_has_its_own_messages', () => {
  const drain = { type: 'drain', because: 'shutdown' };
  const accepted = { type: 'accepted', id: 7 };
  assert.deepEqual([toWorkerMessage(drain), toPrimaryMessage(drain)], [drain, undefined]);
  assert.deepEqual([toWorkerMessage(accepted), toPrimaryMessage(accepted)], [undefined, accepted]);
});
