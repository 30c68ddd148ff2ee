import type { Results } from '../../bench/versus/results.ts';

type Cell = Results['throughput'][number];

/** Makes one slice of 640 × 480 at 8 connections. */
export function makeCell(contender: string, round: number, given: Partial<Cell>): Cell {
  return {
    ...{ contender, round, model: 'mobilenet-224', size: '640×480', connections: 8 },
    ...{ answered: 100, refused: 0, broken: 0, perSecond: 100 },
    ...{ p50Ms: 10, p90Ms: 20, p99Ms: 30, maxMs: 40, cpuMsPerRequest: 15 },
    ...given,
  };
}

const livez = { failed: 0, p50Ms: 1, p99Ms: 2, maxMs: 3 };

/** Makes results with nothing in them but what is given. */
export function makeResults(given: Partial<Results>): Results {
  return {
    circumstances: {
      ...{ date: '2026-01-01 00:00', commit: 'abc', machine: 'a machine', versions: ['a version'] },
      ...{ pictures: 'pictures', plan: 'quick', loadBefore: 1, loadAfter: 2 },
    },
    contenders: [
      { name: 'image-check', kind: 'own' },
      { name: 'naive Node', kind: 'node' },
      { name: 'gunicorn', kind: 'python' },
      { name: 'mosec', kind: 'python' },
    ],
    ...{ scores: [], starts: [], throughput: [], openLoop: [], overload: [], largeUploads: [], forms: [] },
    eventLoop: { idle: livez, busy: [{ size: '12 MP', livez, lagP99Ms: 11 }] },
    ...{ scaling: [], onnx: [], failures: [], took: { 'closed loop': 12 }, budget: { 'closed loop': 10 } },
    ...given,
  };
}
