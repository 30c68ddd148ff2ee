import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import test from 'node:test';
import { toSendingOrder } from '../../src/primary/dispatch/waiting-order.ts';

function toHeld(id: number, arrivedAt: number, wasLost = false) {
  return { id, socket: new Socket(), address: undefined, arrivedAt, sentAt: arrivedAt, wasLost };
}

function toIds(...[waiting, nowMs]: Parameters<typeof toSendingOrder>): number[] {
  return toSendingOrder(waiting, nowMs).map(({ id }) => id);
}

test('connections_are_sent_in_the_order_of_their_arrival', () => {
  assert.deepEqual(toIds([toHeld(1, 1000), toHeld(2, 1100)], 1200), [1, 2]);
  assert.deepEqual(toIds([], 1200), []);
});

test('the_newest_is_sent_first_once_the_oldest_has_waited_for_more_than_250_ms', () => {
  assert.deepEqual(toIds([toHeld(1, 1000), toHeld(2, 1100), toHeld(3, 1300)], 1300), [3, 2, 1]);
});

test('connections_that_a_worker_lost_go_first_and_say_nothing_of_a_flood', () => {
  const lost = [toHeld(1, 100, true), toHeld(2, 100, true)];
  assert.deepEqual(toIds([...lost, toHeld(3, 1000), toHeld(4, 1100)], 1200), [1, 2, 3, 4]);
  assert.deepEqual(toIds([...lost, toHeld(3, 1000), toHeld(4, 1100)], 1300), [1, 2, 4, 3]);
});
