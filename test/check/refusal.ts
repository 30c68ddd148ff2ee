import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { ServiceError } from '../../src/errors.ts';

/** A clock that only the test moves. */
export function stopClock(context: TestContext): (ms: number) => void {
  let nowMs = 1000;
  context.mock.method(performance, 'now', () => nowMs);
  return (ms) => (nowMs += ms);
}

/** @returns what ERR_OVERLOADED says; fails where nothing is thrown. */
export function refuse(work: () => unknown): ServiceError {
  try {
    work();
  } catch (thrown) {
    assert.ok(thrown instanceof ServiceError);
    assert.equal(thrown.code, 'ERR_OVERLOADED');
    return thrown;
  }
  throw new assert.AssertionError({ message: 'it was admitted' });
}
