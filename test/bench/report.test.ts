import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { toReport, writeReport } from '../../bench/versus/report.ts';
import type { Results } from '../../bench/versus/results.ts';
import { toLagP99Ms } from '../../bench/versus/scenarios/event-loop.ts';
import { toTreeMemory } from '../../bench/versus/scenarios/memory.ts';
import { toDifferences } from '../../bench/versus/scenarios/scores.ts';
import { toSpread } from '../../bench/versus/tables.ts';
import { toHttpRequest, toUpload } from '../../bench/versus/upload.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { makeCell, makeResults } from './made-results.ts';

test('a missed bar, a held one and one without a figure are told apart', () => {
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

test('remarks and what went wrong stand in the report, and only where there are any', () => {
  const told = toReport(
    makeResults({ failures: ['cold start: mosec is left out: it died'] }),
    'It waits for **air**.\n',
  );
  assert.match(told, /## Where a bar is missed\n\nIt waits for \*\*air\*\*\.\n\n/);
  assert.match(told, /- cold start: mosec is left out: it died/);
  const silent = toReport(makeResults({}), '\n');
  assert.doesNotMatch(silent, /Where a bar is missed|What went wrong/);
});

test('answers that are not 2xx stand beside the speed', () => {
  const report = toReport(makeResults({ throughput: [makeCell('image-check', 0, { refused: 7, broken: 2 })] }), '');
  assert.match(report, /\| image-check \| 100\.0 .*\| 9 +\| 1 +\|/);
});

test('the report, its figures and its plots are written', async (context) => {
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

test('a spread shows median and ends, and nothing of nothing', () => {
  assert.equal(toSpread([3, 1, 2]), '2 (1–3)');
  assert.equal(toSpread([1.234], 1), '1.2');
  assert.equal(toSpread([NaN, Infinity]), '');
});

test('memory of the largest worker is told beside that of the tree', () => {
  const processes = [
    { pid: 1, pssBytes: 10, privateBytes: 5 },
    { pid: 2, pssBytes: 30, privateBytes: 25 },
  ];
  assert.deepEqual(toTreeMemory(processes), { pssBytes: 40, privateBytes: 30, workerPrivateBytes: 25 });
  assert.deepEqual(toTreeMemory([]), { pssBytes: 0, privateBytes: 0, workerPrivateBytes: 0 });
});

test('scores are compared label by label, and not with too few', () => {
  assert.deepEqual(toDifferences([[1, 0.5]], [[1, 0.25]]), [0, 0.25]);
  assert.throws(() => toDifferences([[1, 0.5]], [[1]]), /picture 0 has 1 scores, not 2/);
  assert.throws(() => toDifferences([[1]], []), /0 scores/);
});

test('the delay of the slowest worker is found, and NaN where none tells', () => {
  const exposition = [
    'nodejs_eventloop_lag_p99_seconds{worker="0"} 0.011',
    'nodejs_eventloop_lag_p99_seconds{worker="1"} 0.025',
    'nodejs_eventloop_lag_p99_seconds{worker="primary"} 0.9',
  ].join('\n');
  assert.equal(toLagP99Ms(exposition), 25);
  assert.ok(Number.isNaN(toLagP99Ms('')));
});

test('a form holds every picture, a raw body one only', () => {
  const pictures = [Buffer.from('first'), Buffer.from('second')];
  const { contentType, body } = toUpload('multipart', pictures);
  const boundary = contentType.replace('multipart/form-data; boundary=', '--');
  assert.equal(body.toString().split(boundary).length, 4);
  assert.throws(() => toUpload('raw', pictures), /one picture/);
  const request = toHttpRequest('/check', toUpload('raw', [Buffer.from('12345')])).toString();
  assert.match(request, /^POST \/check HTTP\/1\.1\r\n[^]*Content-Length: 5\r\n\r\n12345$/);
});
