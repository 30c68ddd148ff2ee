import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import test from 'node:test';
import { Admission, type Permit } from '../../src/check/admission.ts';
import { type Deadline, noDeadline } from '../../src/deadline.ts';
import type { ServiceError } from '../../src/errors.ts';
import { refuse, stopClock } from './refusal.ts';

const queueSize = 10;
const concurrency = 2;
const capacity = 12;
const deadlineMs = 10_000;
/** Completions without a refusal until an overload is over. */
const calmImages = 16 * concurrency;
/** One and a half times the concurrency. */
const busyImages = 3;

/** A worker that processes images in their order of arrival and skips those that were shed. */
class Line {
  readonly admission: Admission;
  readonly permits: Permit[] = [];

  constructor(ordinaryMs = deadlineMs) {
    this.admission = new Admission(queueSize, concurrency, ordinaryMs);
  }

  admit(count = 1, until: Deadline = noDeadline): Permit {
    const permit = this.admission.admit(count, until);
    for (let image = 0; image < count; image += 1) this.permits.push(permit);
    return permit;
  }

  fill(): Permit[] {
    return Array.from({ length: capacity - this.admission.inFlight }, () => this.admit());
  }

  isRefused(until?: Deadline): boolean {
    try {
      this.admit(1, until);
      return false;
    } catch {
      return true;
    }
  }

  /** @returns whether there was one to do */
  finishOne(): boolean {
    this.releaseAborted();
    const permit = this.permits.shift();
    permit?.release();
    return permit !== undefined;
  }

  releaseAborted(): void {
    const aborted = this.permits.filter(({ signal }) => signal.aborted);
    this.permits.splice(0, Infinity, ...this.permits.filter(({ signal }) => !signal.aborted));
    for (const { release } of aborted) release();
  }

  /**
   * Three come for each that is done, until one is refused in a queue that grew so.
   * @param onTurn called before each is done
   */
  overload(onTurn?: () => void): ServiceError {
    for (;;) {
      for (let image = 0; image < 3; image += 1) {
        if (this.admission.inFlight === capacity && this.isRefused()) {
          this.releaseAborted();
          return refuse(() => this.admit());
        }
        this.admit();
      }
      onTurn?.();
      this.finishOne();
    }
  }
}

function toOrdinary(): Deadline {
  return { ...noDeadline, deadlineAt: performance.now() + deadlineMs };
}

test('an_overload_sheds_all_but_the_newest_requests_that_keep_the_worker_busy', () => {
  const line = new Line();
  const burst = line.fill();
  for (let image = 0; image < 3; image += 1) line.finishOne();
  const after = line.fill();
  assert.ok(line.isRefused());
  // Four images, two batches, have to be done while the queue stays full: until then it may be a burst.
  assert.ok([...burst, ...after].every(({ signal }) => !signal.aborted));
  line.finishOne();
  after.push(...line.fill());
  const refusal = refuse(() => line.admit());
  line.releaseAborted();
  assert.deepEqual(line.permits, after.slice(-busyImages));
  const shed = [...burst, ...after].filter(({ signal }) => signal.aborted);
  assert.equal(shed.length, capacity - busyImages);
  for (const { signal } of shed) assert.equal((signal.reason as ServiceError).code, refusal.code);
  refuse(() => line.admit());
  line.finishOne();
  line.admit();
});

test('requests_admitted_at_three_times_the_load_wait_for_few_others', () => {
  const line = new Line();
  line.overload();
  for (let done = 0; done < 1000; done += 1) {
    for (let image = 0; image < 3; image += 1) line.isRefused();
    assert.ok(line.admission.inFlight <= busyImages);
    assert.ok(line.finishOne(), 'the worker is busy');
  }
});

test('clients_that_wait_for_their_answers_are_all_served_however_long_the_queue_is', () => {
  const line = new Line();
  line.fill();
  for (let done = 0; done < 1000; done += 1) {
    line.finishOne();
    line.admit();
  }
  assert.equal(line.permits.filter(({ signal }) => signal.aborted).length, 0);
});

test('a_burst_beyond_the_queue_sheds_no_admitted_request', () => {
  const line = new Line();
  const admitted = line.fill();
  for (let image = 0; image < 100; image += 1) assert.ok(line.isRefused());
  for (let image = 0; image < 3; image += 1) line.finishOne();
  line.fill();
  assert.ok(line.isRefused());
  assert.ok(admitted.every(({ signal }) => !signal.aborted));
});

test('an_overload_is_over_when_nobody_was_refused_for_a_while', () => {
  const line = new Line();
  line.overload();
  for (let done = 0; done < calmImages - 1; done += 1) {
    line.finishOne();
    line.admit();
  }
  assert.ok(line.isRefused(), 'and lasts as long again');
  for (let done = 0; done < calmImages; done += 1) {
    line.finishOne();
    line.admit();
  }
  assert.equal(line.fill().length, capacity - busyImages);
});

test('a_worker_that_was_idle_for_a_while_and_one_that_loaded_a_model_are_not_overloaded', (context) => {
  const advance = stopClock(context);
  const idle = new Line();
  idle.overload(() => {
    advance(100);
  });
  while (idle.finishOne());
  advance(concurrency * 100);
  assert.equal(idle.fill().length, capacity);
  const loaded = new Line();
  loaded.overload();
  loaded.admission.resetEstimate();
  assert.equal(loaded.fill().length, capacity - busyImages);
});

test('a_moment_without_work_does_not_end_an_overload', (context) => {
  const advance = stopClock(context);
  const line = new Line();
  line.overload(() => {
    advance(100);
  });
  while (line.finishOne()) advance(100);
  for (let image = 0; image < busyImages; image += 1) line.admit();
  assert.ok(line.isRefused());
});

test('slow_images_make_an_overload_before_the_queue_is_full', (context) => {
  const advance = stopClock(context);
  const line = new Line();
  line.admit();
  advance(1000);
  line.finishOne();
  let most = 0;
  for (let done = 0; done < 100; done += 1) {
    for (let image = 0; image < 3; image += 1) line.isRefused(toOrdinary());
    line.releaseAborted();
    if (done >= 10) most = Math.max(most, line.admission.inFlight);
    advance(1000);
    assert.ok(line.finishOne(), 'the worker is busy');
  }
  // Five would be done within half of the deadline.
  assert.equal(most, busyImages);
});

test('an_idle_worker_admits_a_burst_of_slow_images', (context) => {
  const advance = stopClock(context);
  const line = new Line();
  line.admit();
  advance(1000);
  line.finishOne();
  assert.equal(line.fill().length, capacity);
});

test('short_deadlines_make_no_overload', (context) => {
  const advance = stopClock(context);
  const line = new Line();
  const admitted = [line.admit(), line.admit()];
  for (let done = 0; done < 100; done += 1) {
    advance(100);
    line.finishOne();
    admitted.push(line.admit());
    refuse(() => line.admit(1, { ...noDeadline, deadlineAt: performance.now() + 200 }));
  }
  assert.ok(admitted.every(({ signal }) => !signal.aborted));
  line.fill();
  assert.equal(line.admission.inFlight, capacity);
});

test('clients_that_give_up_while_a_model_loads_make_no_overload', () => {
  const line = new Line();
  line.fill();
  for (let image = 0; image < 100; image += 1) {
    const client = new AbortController();
    line.permits.shift()?.release();
    const { signal } = line.admit(1, { ...noDeadline, signal: client.signal });
    client.abort();
    assert.ok(signal.aborted);
    assert.ok(line.isRefused());
    line.releaseAborted();
    line.admit();
  }
});

test('a_large_request_that_does_not_fit_beside_few_makes_no_overload', () => {
  const line = new Line();
  for (let image = 0; image < queueSize; image += 1) line.admit();
  for (let done = 0; done < 100; done += 1) {
    line.finishOne();
    line.admit();
    refuse(() => line.admit(3));
  }
  assert.equal(line.permits.filter(({ signal }) => signal.aborted).length, 0);
});

test('a_request_is_shed_with_all_its_images', () => {
  const line = new Line();
  line.fill();
  for (let image = 0; image < 6; image += 1) line.finishOne();
  const pair = line.admit(2);
  for (let image = 0; image < 6; image += 1) {
    line.finishOne();
    line.admit();
  }
  line.fill();
  assert.ok(line.isRefused());
  assert.ok(pair.signal.aborted);
  assert.equal(line.permits.filter((permit) => permit === pair).length, 2);
  line.releaseAborted();
  assert.equal(line.admission.inFlight, busyImages);
});

test('shed_requests_do_not_make_images_look_fast', (context) => {
  const advance = stopClock(context);
  const line = new Line(60_000);
  line.fill();
  for (let done = 0; done < 50; done += 1) {
    advance(990);
    line.finishOne();
    line.admit();
  }
  assert.ok(line.isRefused());
  line.releaseAborted();
  // So many images have to be done, at a second each.
  assert.equal(refuse(() => line.admit()).retryAfterSeconds, calmImages);
});

test('a_signal_that_many_requests_share_is_left_without_listeners', () => {
  const line = new Line();
  const client = new AbortController();
  const until = { ...noDeadline, signal: client.signal };
  line.admit(2, until);
  while (line.finishOne());
  assert.equal(getEventListeners(client.signal, 'abort').length, 0);
  client.abort();
  assert.ok(line.admit(1, until).signal.aborted);
});
