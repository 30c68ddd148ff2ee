import assert from 'node:assert/strict';
import test from 'node:test';
import type { JudgedBar } from '../../bench/versus/bars.ts';
import { judgeBars } from '../../bench/versus/bars.ts';
import { rankPeers } from '../../bench/versus/peer-ranking.ts';
import { toLatencyRatios, toSpeedRatios } from '../../bench/versus/ratios.ts';
import type { Results } from '../../bench/versus/results.ts';
import { toOpenFigure } from '../../bench/versus/scenarios/open-loop.ts';
import { makeCell, makeResults } from './made-results.ts';

const cell = { model: 'mobilenet-224', size: '640×480', connections: 8 } as const;

function findBar(results: Results, title: string): JudgedBar {
  const bar = judgeBars(results).find((judged) => judged.title === title);
  assert.ok(bar, `there is no bar ${title}`);
  return bar;
}

test('a_ratio_is_taken_within_its_round_against_the_best_peer_of_that_round', () => {
  const results = makeResults({
    throughput: [
      makeCell('image-check', 0, { perSecond: 100 }),
      makeCell('gunicorn', 0, { perSecond: 50 }),
      makeCell('mosec', 0, { perSecond: 80 }),
      makeCell('naive Node', 0, { perSecond: 20 }),
      makeCell('mosec', 1, { perSecond: 40 }),
      makeCell('gunicorn', 1, { perSecond: 60 }),
      makeCell('image-check', 1, { perSecond: 120 }),
    ],
  });
  assert.deepEqual(toSpeedRatios(results, cell, 'python'), [1.25, 2]);
  assert.deepEqual(toSpeedRatios(results, cell, 'node'), [5]);
  assert.deepEqual(toSpeedRatios(results, { ...cell, connections: 32 }, 'python'), []);
});

test('a_peer_that_is_in_slow_cells_only_does_not_seem_slow', () => {
  const throughput = [
    makeCell('gunicorn', 0, { perSecond: 50 }),
    makeCell('mosec', 0, { perSecond: 60 }),
    makeCell('mosec', 0, { perSecond: 5, size: '12 MP' }),
    makeCell('image-check', 0, { perSecond: 1000 }),
  ];
  assert.deepEqual(rankPeers(makeResults({}).contenders, throughput), ['mosec', 'gunicorn']);
  assert.deepEqual(rankPeers(makeResults({}).contenders, []), []);
});

test('quick_refusals_of_this_project_are_no_short_answers_and_those_of_a_peer_are_no_mark', () => {
  const throughput = [
    makeCell('image-check', 0, { p99Ms: 5, refused: 50 }),
    makeCell('gunicorn', 0, { p99Ms: 100 }),
    makeCell('image-check', 1, { p99Ms: 50 }),
    makeCell('gunicorn', 1, { p99Ms: 100 }),
    makeCell('mosec', 1, { p99Ms: 1, broken: 50 }),
  ];
  assert.deepEqual(toLatencyRatios(makeResults({ throughput }), cell, 'p99Ms', 'lowest'), [Infinity, 0.5]);
});

test('a_peer_that_lets_most_wait_is_no_mark_for_a_median_unless_the_lowest_of_any_is_asked_for', () => {
  const throughput = [
    makeCell('image-check', 0, { perSecond: 150, p50Ms: 50 }),
    makeCell('gunicorn', 0, { perSecond: 70, p50Ms: 30 }),
    makeCell('mosec', 0, { perSecond: 80, p50Ms: 100 }),
  ];
  assert.deepEqual(toLatencyRatios(makeResults({ throughput }), cell, 'p50Ms', 'fastest'), [0.5]);
  assert.deepEqual(toLatencyRatios(makeResults({ throughput }), cell, 'p50Ms', 'lowest'), [50 / 30]);
});

test('a_bar_holds_at_its_bound_is_missed_beyond_and_is_neither_without_a_figure', () => {
  const title = 'requests a second : best Python peer, 640×480, 8 connections';
  const measure = (perSecond: number) =>
    findBar(
      makeResults({
        throughput: [makeCell('image-check', 0, { perSecond }), makeCell('gunicorn', 0, { perSecond: 100 })],
      }),
      title,
    ).isHeld;
  assert.equal(measure(145), true);
  assert.equal(measure(144), false);
  assert.equal(findBar(makeResults({}), title).isHeld, undefined);
});

test('who_answered_nothing_is_no_mark_and_having_answered_nothing_is_no_success', () => {
  const mute = makeCell('gunicorn', 0, { perSecond: 0, p99Ms: NaN });
  const spoke = makeResults({ throughput: [makeCell('image-check', 0, {}), mute] });
  assert.deepEqual(toSpeedRatios(spoke, cell, 'python'), []);
  const silent = [makeCell('image-check', 0, { perSecond: 0, p99Ms: NaN }), makeCell('gunicorn', 0, {})];
  assert.deepEqual(toSpeedRatios(makeResults({ throughput: silent }), cell, 'python'), [0]);
  assert.equal(
    findBar(makeResults({ throughput: silent }), 'p99 : fastest peer, 640×480, 8 connections').isHeld,
    false,
  );
});

test('the_median_of_the_rounds_decides', () => {
  const throughput = [100, 150, 300].flatMap((perSecond, round) => [
    makeCell('image-check', round, { perSecond }),
    makeCell('gunicorn', round, { perSecond: 100 }),
  ]);
  const bar = findBar(makeResults({ throughput }), 'requests a second : best Python peer, 640×480, 8 connections');
  assert.equal(bar.median, 1.5);
  assert.equal(bar.isHeld, true);
});

test('cpu_is_held_against_the_limit_of_the_same_round', () => {
  const limit = { aloneCpuMs: 10, aloneWallMs: 10, togetherCpuMs: 12, togetherWallMs: 12, peakPrivateBytes: 1 };
  const throughput = [makeCell('image-check', 0, { cpuMsPerRequest: 11, limit })];
  assert.equal(findBar(makeResults({ throughput }), 'CPU a request : limit, 640×480').median, 1.1);
});

test('overload_is_held_against_nine_tenths_of_the_capacity', () => {
  const toFigure = (share: number, answers: readonly (readonly [status: number, ms: number])[]) => ({
    ...toOpenFigure(
      answers.map(([status, latencyMs]) => ({ dueMs: 0, status, latencyMs, retryAfterSeconds: undefined })),
    ),
    ...({ contender: 'image-check', size: '640×480', share, perSecond: 1, cpuMsPerRequest: 1 } as const),
  });
  const openLoop = [toFigure(0.5, [[200, 1]]), toFigure(0.9, [[200, 100]])];
  const overload = [
    toFigure(3, [
      [200, 150],
      [429, 30],
      [429, 10],
      [0, 25],
    ]),
  ];
  const results = makeResults({ openLoop, overload });
  assert.equal(findBar(results, 'p99 of the accepted at 3 × capacity : p99 at 90 %').isHeld, true);
  assert.equal(findBar(results, 'median time of a rejection at 3 × capacity').isHeld, false);
  assert.deepEqual(overload[0]?.rejected.statuses, { '0': 1, '429': 2 });
  const allRejected = makeResults({ openLoop, overload: [toFigure(3, [[429, 1]])] });
  assert.equal(findBar(allRejected, 'p99 of the accepted at 3 × capacity : p99 at 90 %').isHeld, false);
});
