import assert from 'node:assert/strict';
import test from 'node:test';
import { Admission } from '../../src/check/admission.ts';
import { type Deadline, noDeadline } from '../../src/deadline.ts';
import { refuse, stopClock } from './refusal.ts';

function toUntil(deadlineAt: number): Deadline {
  return { ...noDeadline, deadlineAt };
}

const later = noDeadline;
const deadlineMs = 10_000;

test('more_images_than_there_are_places_are_refused', () => {
  const admission = new Admission(3, 0, deadlineMs);
  const { release } = admission.admit(2, later);
  refuse(() => admission.admit(2, later));
  admission.admit(1, later);
  refuse(() => admission.admit(1, later));
  release();
  admission.admit(1, later);
  assert.equal(admission.inFlight, 3);
});

test('a_request_larger_than_all_places_is_admitted_by_an_idle_worker_alone', () => {
  const admission = new Admission(2, 0, deadlineMs);
  const { release } = admission.admit(5, later);
  refuse(() => admission.admit(1, later));
  for (let image = 0; image < 5; image += 1) release();
  admission.admit(5, later);
});

test('what_can_not_be_done_by_its_deadline_is_refused_with_the_time_after_which_it_could', (context) => {
  const advance = stopClock(context);
  const admission = new Admission(1000, 0, deadlineMs);
  const { release } = admission.admit(20, later);
  for (let image = 0; image < 10; image += 1) {
    advance(500);
    release();
  }
  // Ten are ahead at half a second each, the one that comes takes as long, and all may take twice as long.
  admission.admit(1, toUntil(performance.now() + 11_100));
  const { retryAfterSeconds, detail } = refuse(() => admission.admit(1, toUntil(performance.now() + 9000)));
  assert.equal(retryAfterSeconds, 2);
  assert.match(detail, /with 11 images in flight/);
  advance(4000);
  for (let image = 0; image < 8; image += 1) release();
  admission.admit(1, toUntil(performance.now() + 9000));
});

test('a_full_worker_says_how_long_it_takes_until_there_is_room', (context) => {
  const advance = stopClock(context);
  const admission = new Admission(10, 0, deadlineMs);
  const { release } = admission.admit(10, later);
  advance(3000);
  release();
  assert.equal(refuse(() => admission.admit(2, later)).retryAfterSeconds, 3);
  assert.equal(refuse(() => admission.admit(4, later)).retryAfterSeconds, 9);
});

test('an_idle_worker_admits_however_slow_it_was', (context) => {
  const advance = stopClock(context);
  const admission = new Admission(10, 0, deadlineMs);
  const { release } = admission.admit(1, later);
  advance(60_000);
  release();
  admission.admit(1, toUntil(performance.now() + 10));
  refuse(() => {
    admission.assertRoom(1, performance.now() + 10);
  });
});

test('idle_time_and_loads_are_not_taken_for_work', (context) => {
  const advance = stopClock(context);
  const admission = new Admission(1000, 0, deadlineMs);
  admission.admit(1, later).release();
  advance(60_000);
  const { release } = admission.admit(50, later);
  advance(5000);
  admission.resetEstimate();
  for (let image = 0; image < 40; image += 1) {
    advance(10);
    release();
  }
  // Ten are ahead at 10 ms each.
  admission.admit(1, toUntil(performance.now() + 400));
});
