import assert from 'node:assert/strict';
import test from 'node:test';
import { toLoadFigure } from '../../bench/load-figure.ts';
import { toWrkFigure, undoCorrection } from '../../bench/versus/wrk-output.ts';

function toOutput(result: object): string {
  return `Running 1s test @ http://127.0.0.1:1\n  2 requests in 1.00s\n\nRESULT ${JSON.stringify(result)}\n`;
}

test('answers_that_are_not_2xx_are_counted_apart_and_do_not_make_it_faster', () => {
  const output = toOutput({
    requests: 10,
    microseconds: 2_000_000,
    refused: 4,
    broken: 3,
    latencies: [
      [1000, 6],
      [5000, 4],
    ],
  });
  const figure = toWrkFigure(output, 8);
  assert.deepEqual(
    { answered: figure.answered, refused: figure.refused, broken: figure.broken, perSecond: figure.perSecond },
    { answered: 6, refused: 4, broken: 3, perSecond: 3 },
  );
  assert.equal(figure.p50Ms, 1);
  assert.equal(figure.p99Ms, 5);
});

test('wrk_without_a_result_fails_with_what_it_said', () => {
  assert.throws(() => toWrkFigure('unable to connect to 127.0.0.1:9 Connection refused\n', 1), /unable to connect/);
  assert.throws(() => toWrkFigure('', 1), /it printed nothing/);
  assert.throws(() => toWrkFigure(toOutput({ requests: 'many' }), 1), /requests/);
});

test('a_load_without_one_request_has_no_times', () => {
  const figure = toWrkFigure(
    toOutput({ requests: 0, microseconds: 1_000_000, refused: 0, broken: 8, latencies: [] }),
    8,
  );
  assert.equal(figure.perSecond, 0);
  assert.equal(figure.broken, 8);
  assert.ok(Number.isNaN(figure.p99Ms));
});

test('requests_that_wrk_invented_are_taken_away', () => {
  const mean = 100;
  const sent: [number, number][] = [
    [90, 50],
    [150, 5],
    [310, 2],
    [450, 1],
  ];
  // As wrk does it: for 310 one at 210 and 110, for 450 one at 350, 250 and 150.
  const corrected: [number, number][] = [
    [90, 50],
    [110, 2],
    [150, 6],
    [210, 2],
    [250, 1],
    [310, 2],
    [350, 1],
    [450, 1],
  ];
  assert.deepEqual(undoCorrection(corrected, 58, mean), sent);
});

test('times_that_can_not_be_undone_stay_as_they_are', () => {
  const latencies: [number, number][] = [
    [90, 5],
    [450, 1],
  ];
  assert.equal(undoCorrection(latencies, 7, 100), latencies);
  assert.equal(undoCorrection(latencies, 6, NaN), latencies);
});

test('quantiles_of_a_histogram_are_those_of_its_requests', () => {
  const figure = toLoadFigure({
    ...{ answered: 100, refused: 0, broken: 0, seconds: 1 },
    latencies: [
      [1, 50],
      [2, 40],
      [3, 9],
      [4, 1],
    ],
  });
  assert.deepEqual([figure.p50Ms, figure.p90Ms, figure.p99Ms, figure.maxMs], [1, 2, 3, 4]);
});
