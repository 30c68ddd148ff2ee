import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { toHttpRequest, toUpload } from '../../bench/upload.ts';
import { toReport, writeReport } from '../../bench/versus/report.ts';
import type { Results } from '../../bench/versus/results.ts';
import { toLagP99Ms } from '../../bench/versus/scenarios/event-loop.ts';
import { toTreeMemory } from '../../bench/versus/scenarios/memory.ts';
import { toDifferences } from '../../bench/versus/scenarios/scores.ts';
import { toSpread } from '../../bench/versus/tables.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { makeCell, makeResults } from './made-results.ts';

test('a_missed_bar_a_held_one_and_one_without_a_figure_are_told_apart', () => {
  const report = toReport(
    makeResults({
      throughput: [
        makeCell('image-check', 0, { perSecond: 150 }),
        makeCell('gunicorn', 0, { perSecond: 100 }),
        makeCell('naive Node', 0, { perSecond: 100 }),
      ],
    }),
    '',
  );
  assert.match(report, /best Python peer, 640×480, 8 connections +\| ≥ 1.45 × +\| 1\.50 +\| 1 +\| held/);
  assert.match(report, /naive Node, 640×480, 8 connections +\| ≥ 2.7 × +\| 1\.50 +\| 1 +\| \*\*missed\*\*/);
  assert.match(report, /naive Node, 12 MP, 8 connections +\| ≥ 3.2 × +\| +\| 0 +\| not measured/);
});

test('remarks_and_what_went_wrong_stand_in_the_report_and_only_where_there_are_any', () => {
  const told = toReport(
    makeResults({ failures: ['cold start: mosec is left out: it died'] }),
    'It waits for **air**.\n',
  );
  assert.match(told, /## Where a bar is missed\n\nIt waits for \*\*air\*\*\.\n\n/);
  assert.match(told, /- cold start: mosec is left out: it died/);
  const silent = toReport(makeResults({}), '\n');
  assert.doesNotMatch(silent, /Where a bar is missed|What went wrong/);
});

test('answers_that_are_not_2xx_stand_beside_the_speed', () => {
  const report = toReport(makeResults({ throughput: [makeCell('image-check', 0, { refused: 7, broken: 2 })] }), '');
  assert.match(report, /\| image-check \| 100\.0 .*\| 9 +\| 1 +\|/);
});

test('the_report_its_figures_and_its_plots_are_written', async (context) => {
  const dir = makeTempDir(context);
  const results = makeResults({ throughput: [makeCell('image-check', 0, {})] });
  const text = await writeReport(dir, results);
  assert.equal(readFileSync(path.join(dir, 'RESULTS.md'), 'utf8'), text);
  assert.deepEqual((JSON.parse(readFileSync(path.join(dir, 'RESULTS.json'), 'utf8')) as Results).took, results.took);
  const plots = [...text.matchAll(/\]\((plots\/[\w-]+\.svg)\)/g)].map(([, file = '']) => file);
  assert.equal(plots.length, 4);
  for (const plot of plots) assert.ok(existsSync(path.join(dir, plot)), plot);
  assert.match(readFileSync(path.join(dir, 'plots', 'throughput.svg'), 'utf8'), /^<svg[^]*image-check/);
});

test('a_spread_shows_median_and_ends_and_nothing_of_nothing', () => {
  assert.equal(toSpread([3, 1, 2]), '2 (1–3)');
  assert.equal(toSpread([1.234], 1), '1.2');
  assert.equal(toSpread([NaN, Infinity]), '');
});

test('memory_of_the_largest_worker_is_told_beside_that_of_the_tree', () => {
  const processes = [
    { pid: 1, pssBytes: 10, privateBytes: 5 },
    { pid: 2, pssBytes: 30, privateBytes: 25 },
  ];
  assert.deepEqual(toTreeMemory(processes), { pssBytes: 40, privateBytes: 30, workerPrivateBytes: 25 });
  assert.deepEqual(toTreeMemory([]), { pssBytes: 0, privateBytes: 0, workerPrivateBytes: 0 });
});

test('scores_are_compared_label_by_label_and_not_with_too_few', () => {
  assert.deepEqual(toDifferences([[1, 0.5]], [[1, 0.25]]), [0, 0.25]);
  assert.throws(() => toDifferences([[1, 0.5]], [[1]]), /picture 0 has 1 scores, not 2/);
  assert.throws(() => toDifferences([[1]], []), /0 scores/);
});

test('the_delay_of_the_slowest_worker_is_found_and_NaN_where_none_tells', () => {
  const exposition = [
    'nodejs_eventloop_lag_p99_seconds{worker="0"} 0.011',
    'nodejs_eventloop_lag_p99_seconds{worker="1"} 0.025',
    'nodejs_eventloop_lag_p99_seconds{worker="primary"} 0.9',
  ].join('\n');
  assert.equal(toLagP99Ms(exposition), 25);
  assert.ok(Number.isNaN(toLagP99Ms('')));
});

test('a_form_holds_every_picture_a_raw_body_one_only', () => {
  const pictures = [Buffer.from('first'), Buffer.from('second')];
  const { contentType, body } = toUpload('multipart', pictures);
  const boundary = contentType.replace('multipart/form-data; boundary=', '--');
  assert.equal(body.toString().split(boundary).length, 4);
  assert.throws(() => toUpload('raw', pictures), /one picture/);
  const request = toHttpRequest('/check', toUpload('raw', [Buffer.from('12345')])).toString();
  assert.match(request, /^POST \/check HTTP\/1\.1\r\n[^]*Content-Length: 5\r\n\r\n12345$/);
});
