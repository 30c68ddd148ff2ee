import assert from 'node:assert/strict';
import test from 'node:test';
import { type Load, toSurplus } from '../../src/primary/balance.ts';

function toLoad(inFlight: number, connections = 100): Load {
  return { inFlight, connections };
}

test('a worker on its own lets nothing go', () => {
  assert.equal(toSurplus(toLoad(50), []), 0);
});

test('small differences stay: they are gone before anything could be done', () => {
  assert.equal(toSurplus(toLoad(4), [toLoad(0)]), 0);
  assert.equal(toSurplus(toLoad(19), [toLoad(10)]), 0);
  assert.equal(toSurplus(toLoad(0), [toLoad(50)]), 0);
});

test('of two workers the busier one lets half of the difference go', () => {
  assert.equal(toSurplus(toLoad(5), [toLoad(0)]), 3);
  assert.equal(toSurplus(toLoad(30), [toLoad(10)]), 10);
});

test('many that make room for one that is new let go together what it takes, not each half of its own', () => {
  const workers = [...Array.from({ length: 7 }, () => toLoad(8)), toLoad(0)];
  const surplus = workers.map((worker) =>
    toSurplus(
      worker,
      workers.filter((other) => other !== worker),
    ),
  );
  assert.deepEqual(surplus, [1, 1, 1, 1, 1, 1, 1, 0]);
});

test('no more is let go than is open: pipelined requests share a connection', () => {
  assert.equal(toSurplus(toLoad(40, 2), [toLoad(0)]), 2);
});
