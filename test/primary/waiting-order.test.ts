import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import test from 'node:test';
import { toSendingOrder } from '../../src/primary/waiting-order.ts';

function toHeld(id: number, arrivedAt: number, wasLost = false) {
  return { id, socket: new Socket(), address: undefined, arrivedAt, sentAt: arrivedAt, wasLost };
}

function toIds(...[waiting, nowMs]: Parameters<typeof toSendingOrder>): number[] {
  return toSendingOrder(waiting, nowMs).map(({ id }) => id);
}

test('connections are sent in the order of their arrival', () => {
  assert.deepEqual(toIds([toHeld(1, 1000), toHeld(2, 1100)], 1200), [1, 2]);
  assert.deepEqual(toIds([], 1200), []);
});

test('the newest is sent first once the oldest has waited for more than 250 ms', () => {
  assert.deepEqual(toIds([toHeld(1, 1000), toHeld(2, 1100), toHeld(3, 1300)], 1300), [3, 2, 1]);
});

test('connections that a worker lost go first, and say nothing of a flood', () => {
  const lost = [toHeld(1, 100, true), toHeld(2, 100, true)];
  assert.deepEqual(toIds([...lost, toHeld(3, 1000), toHeld(4, 1100)], 1200), [1, 2, 3, 4]);
  assert.deepEqual(toIds([...lost, toHeld(3, 1000), toHeld(4, 1100)], 1300), [1, 2, 4, 3]);
});
