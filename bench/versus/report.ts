import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { format } from 'prettier';
import { toMarkdownTable } from '../../src/train/card/markdown-table.ts';
import { judgeBars } from './bars.ts';
import type { CellName } from './cell.ts';
import { drawPlots } from './plots.ts';
import type { Results } from './results.ts';
import * as scenarios from './scenario-tables.ts';
import * as tables from './tables.ts';

const remarksFile = path.join(import.meta.dirname, 'remarks.md');

/** Commands for figures of the documentation that take minutes each. */
const otherCommands = [
  ['`/livez` while all model threads are busy', '`npm run bench:livez`'],
  ['one frozen graph, model by model', '`npm run bench:compile`'],
  ['the shipped model: inference, decode', '`npm run bench:quality`'],
  ['who waits when connections are shared out', '`npm run bench:dispatch`'],
  ['ten times the load', '`npm run bench:overload`'],
  ['the old ways: made before the fork and after', '`npm run bench:seed-failure`'],
  ['many requests', '`npm run bench:soak`'],
] as const;

/** Writes RESULTS.md, RESULTS.json and the plots into a folder. @returns the text */
export async function writeReport(dir: string, results: Results): Promise<string> {
  const plotDir = path.join(dir, 'plots');
  mkdirSync(plotDir, { recursive: true });
  for (const [name, svg] of await drawPlots(results)) writeFileSync(path.join(plotDir, name), svg);
  const remarks = existsSync(remarksFile) ? readFileSync(remarksFile, 'utf8') : '';
  const text = await format(toReport(results, remarks), { parser: 'markdown', printWidth: 120 });
  writeFileSync(path.join(dir, 'RESULTS.md'), text);
  const json = await format(JSON.stringify(results), { parser: 'json', printWidth: 120 });
  writeFileSync(path.join(dir, 'RESULTS.json'), json);
  return text;
}

/** Brings all results to one page of Markdown. */
export function toReport(results: Results, remarks: string): string {
  const { failures } = results;
  const sections = [
    ['What must hold', tables.toBarTable(judgeBars(results))],
    ...(remarks.trim() === '' ? [] : [['Where a bar is missed', remarks.trim()]]),
    ...(failures.length === 0 ? [] : [['What went wrong', toList(failures)]]),
    ['Under which circumstances', toList(toCircumstanceLines(results))],
    ...toLoopSections(results),
    ...toScenarioSections(results),
    ...toClosingSections(results),
  ];
  return [
    '# This service beside others',
    `Written by \`npm run bench\` (plan: ${results.circumstances.plan}). Two workers each, the same weights and pictures, on one machine in one run: contenders take turns, and ratios are taken within a round. After the first round of 8 connections only this project, the naive Node service and the two best Python peers go on. A cell shows the median and, in brackets, the smallest and the largest round.`,
    ...sections.flatMap(([title = '', ...blocks]) => [`## ${title}`, ...blocks]),
  ].join('\n\n');
}

function toLoopSections(results: Results): string[][] {
  return [
    [
      'Closed loop',
      'Each connection uploads again as soon as it is answered; the load is made beside the service, on the same CPUs. CPU is that of all processes of the server.',
      'Times are held against the fastest peer above, and here against the lowest of any: a server that serves some connections and lets others wait has a low p50 and a high p99.',
      '![requests a second](plots/throughput.svg)',
      tables.toRatioTable(results),
      ...toCellSections(results),
    ],
    [
      'The limit: decode and inference without HTTP',
      'One process with one thread, measured after the slice of the same round; and two of them at once, which is what this machine can do at most.',
      tables.toLimitTable(results),
      'ONNX Runtime on the same network, one thread in one process:',
      scenarios.toOnnxTable(results),
    ],
    [
      'Open loop',
      'Requests come at random (Poisson) at half and at nine tenths of what the contender took at 32 connections; times count from when a request was due.',
      '![times of answers](plots/open-loop.svg)',
      scenarios.toOpenTable(results.openLoop),
    ],
    ['Three times the capacity', scenarios.toOpenTable(results.overload)],
  ];
}

function toScenarioSections(results: Results): string[][] {
  return [
    [
      'Start and memory',
      'Each alone on the machine. Loaded: the most while 32 connections upload all sizes.',
      '![start](plots/cold-start.svg)',
      '![memory](plots/memory.svg)',
      tables.toStartTable(results),
    ],
    ['Large files', scenarios.toLargeTable(results)],
    ['Eight images in a request', scenarios.toFormTable(results)],
    ['Event loop', scenarios.toEventLoopTable(results)],
    ['One worker and two', scenarios.toScalingTable(results)],
  ];
}

function toClosingSections(results: Results): string[][] {
  const { took, budget } = results;
  const sum = (seconds: Readonly<Record<string, number>>): number =>
    Object.values(seconds).reduce((total, each) => total + each, 0);
  const rows = Object.entries({ ...took, together: sum(took) }).map(([name, seconds]) => {
    const planned = name === 'together' ? sum(budget) : budget[name];
    return [name, seconds.toFixed(0), planned === undefined ? '' : String(planned)];
  });
  return [
    [
      'Scores',
      'Largest difference from the scores of this project, over all labels and pictures.',
      scenarios.toScoreTable(results),
    ],
    ['How long each scenario took', toMarkdownTable(['scenario', 'seconds', 'planned'], rows)],
    [
      'Other figures',
      'What the documentation states beside these takes minutes each; each has a command of its own.',
      toMarkdownTable(['what', 'command'], otherCommands),
    ],
  ];
}

function toCircumstanceLines({ circumstances }: Results): string[] {
  const { date, commit, machine, versions, pictures, loadBefore, loadAfter } = circumstances;
  return [
    `${date} UTC, commit ${commit}`,
    `${machine}; load average ${loadBefore.toFixed(1)} before, ${loadAfter.toFixed(1)} after`,
    ...versions,
    `pictures: ${pictures}`,
  ];
}

function toCellSections(results: Results): string[] {
  const cells = new Map<string, CellName>();
  for (const { model, size, connections } of results.throughput) {
    cells.set(`${model}, ${size}, ${String(connections)} connections`, { model, size, connections });
  }
  return [...cells]
    .toSorted(([, a], [, b]) => tables.orderCells(a, b))
    .flatMap(([title, cell]) => [`### ${title}`, tables.toCellTable(results, cell)]);
}

function toList(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n');
}
