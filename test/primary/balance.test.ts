import assert from 'node:assert/strict';
import test from 'node:test';
import { type Load, toSurplus } from '../../src/primary/dispatch/balance.ts';

function toLoad(inFlight: number, connections = 100): Load {
  return { inFlight, connections };
}

test('a_worker_on_its_own_lets_nothing_go', () => {
  assert.equal(toSurplus(toLoad(50), []), 0);
});

test('small_differences_stay_they_are_gone_before_anything_could_be_done', () => {
  assert.equal(toSurplus(toLoad(4), [toLoad(0)]), 0);
  assert.equal(toSurplus(toLoad(19), [toLoad(10)]), 0);
  assert.equal(toSurplus(toLoad(0), [toLoad(50)]), 0);
});

test('of_two_workers_the_busier_one_lets_half_of_the_difference_go', () => {
  assert.equal(toSurplus(toLoad(5), [toLoad(0)]), 3);
  assert.equal(toSurplus(toLoad(30), [toLoad(10)]), 10);
});

test('many_that_make_room_for_one_that_is_new_let_go_together_what_it_takes_not_each_half_of_its_own', () => {
  const workers = [...Array.from({ length: 7 }, () => toLoad(8)), toLoad(0)];
  const surplus = workers.map((worker) =>
    toSurplus(
      worker,
      workers.filter((other) => other !== worker),
    ),
  );
  assert.deepEqual(surplus, [1, 1, 1, 1, 1, 1, 1, 0]);
});

test('no_more_is_let_go_than_is_open_pipelined_requests_share_a_connection', () => {
  assert.equal(toSurplus(toLoad(40, 2), [toLoad(0)]), 2);
});
