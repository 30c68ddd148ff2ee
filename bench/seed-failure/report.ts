import os from 'node:os';
import { format } from 'prettier';
import type { Trial } from './trial.ts';
import type { Way } from './ways.ts';

/** A way, how it was started, and what came of it: a trial, or the reason why there was none. */
export interface Finding {
  readonly way: Way;
  readonly shown: string;
  readonly outcome: Trial | string;
}

/** What else a reader has to know. */
export interface Circumstances {
  readonly versions: readonly string[];
  readonly model: string;
  readonly photos: string;
  readonly limitMs: number;
  readonly loadBefore: number;
}

const columns = [
  'way',
  'model loaded',
  'answers',
  'workers that answered',
  'killed as stuck',
  'memory (PSS)',
  'start',
  'first answer',
  'last answer',
];

/** Brings all findings to one page of Markdown. */
export function toReport(findings: readonly Finding[], circumstances: Circumstances): Promise<string> {
  const { versions, model, photos, limitMs, loadBefore } = circumstances;
  const machine = `${os.cpus()[0]?.model ?? 'unknown CPU'} × ${String(os.availableParallelism())}, ${toGigabytes(os.totalmem())}`;
  const loads = `load average ${loadBefore.toFixed(1)} before, ${(os.loadavg()[0] ?? NaN).toFixed(1)} after`;
  const blocks = [
    '# The old ways and this service, under the same uploads',
    `Written by \`npm run bench:seed-failure\`; its README.md says what the columns mean.`,
    toTable(findings),
    '## What happened',
    toList(findings.map(({ way, outcome }) => `${way.title}: ${describeOutcome(outcome)}`)),
    '## Under which circumstances',
    toList([
      `Machine: ${machine}, ${os.type()} ${os.release()}, ${loads}`,
      ...versions,
      `Model: ${model}`,
      `Uploads: ${photos}, each a multipart form on its own connection; time limit ${String(limitMs / 1000)} s a way`,
    ]),
    '## How each was started',
    toList(findings.map(({ way, shown }) => `${way.title}: \`${shown}\``)),
  ];
  return format(blocks.join('\n\n'), { parser: 'markdown', printWidth: 120 });
}

function toList(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n');
}

function toTable(findings: readonly Finding[]): string {
  const rows = findings.map(({ way, outcome }) => toRow(way, outcome));
  return [columns, columns.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function toRow({ title, load }: Way, outcome: Trial | string): string[] {
  const loaded = load === 'import' ? 'before the fork' : 'in each worker';
  if (typeof outcome === 'string') return [title, loaded, 'not run', ...columns.slice(3).map(() => '')];
  const { uploads, workers, kills, pssBytes, startMs } = outcome;
  const answered = uploads.filter(({ pid }) => pid !== undefined);
  const times = answered.map(({ afterMs }) => afterMs);
  const pids = new Set(answered.map(({ pid }) => pid));
  return [
    title,
    loaded,
    `${String(answered.length)} of ${String(uploads.length)}`,
    `${String(pids.size)} of ${String(workers.length)}`,
    String(kills),
    `${(pssBytes / 1e6).toFixed(0)} MB`,
    toSeconds(startMs),
    times.length > 0 ? toSeconds(Math.min(...times)) : 'never',
    times.length > 0 ? toSeconds(Math.max(...times)) : 'never',
  ];
}

/** Brings one outcome to one line. */
export function describeOutcome(outcome: Trial | string): string {
  if (typeof outcome === 'string') return `not run: ${outcome}`;
  const { uploads, workers } = outcome;
  const shares = workers.map((worker) => String(uploads.filter(({ pid }) => pid === worker).length));
  const endings = new Map<string, number>();
  for (const { ending } of uploads) endings.set(ending, (endings.get(ending) ?? 0) + 1);
  const counts = [...endings]
    .sort()
    .map(([ending, count]) => `${String(count)} ${ending}`)
    .join(', ');
  return `${counts}; answers by worker, in the order of starting: ${shares.join(', ')}`;
}

function toSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function toGigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(0)} GB`;
}
