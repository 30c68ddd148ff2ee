import { toMarkdownTable } from '../../src/train/card/markdown-table.ts';
import type { Results } from './results.ts';
import { imagesPerForm } from './scenarios/forms.ts';
import type { OpenFigure } from './scenarios/open-loop.ts';
import { toSpread } from './tables.ts';

/** Clients that come at a pace of their own: what the accepted and the rejected meet. */
export function toOpenTable(figures: readonly OpenFigure[]): string {
  const rows = figures.map(({ contender, share, perSecond, accepted, rejected, cpuMsPerRequest }) => [
    contender,
    `${String(share)} × capacity`,
    perSecond.toFixed(0),
    String(accepted.count),
    toMs(accepted.p50Ms),
    toMs(accepted.p99Ms),
    toMs(cpuMsPerRequest, 1),
    describeStatuses(rejected.statuses),
    toMs(rejected.p50Ms),
    rejected.retryAfterSeconds.map(String).join('–'),
  ]);
  const head = [
    ...['contender', 'pace', 'sent/s', 'accepted', 'p50, ms', 'p99, ms', 'CPU ms/accepted'],
    ...['rejected', 'their p50, ms', 'Retry-After, s'],
  ];
  return toMarkdownTable(head, rows);
}

function toMs(ms: number, digits = 0): string {
  return Number.isFinite(ms) ? ms.toFixed(digits) : '';
}

function describeStatuses(statuses: Readonly<Record<string, number>>): string {
  const counts = Object.entries(statuses).map(
    ([status, count]) => `${String(count)} × ${status === '0' ? 'no answer' : status}`,
  );
  return counts.join(', ') || 'none';
}

/** Uploads of large files. */
export function toLargeTable({ largeUploads }: Results): string {
  const rows = largeUploads.map(
    ({ file, bytes, contender, perSecond, p50Ms, p99Ms, cpuMsPerRequest, refused, broken }) => [
      `${file}, ${(bytes / 1e6).toFixed(1)} MB`,
      contender,
      perSecond.toFixed(1),
      toMs(p50Ms),
      toMs(p99Ms),
      toMs(cpuMsPerRequest, 1),
      String(refused + broken),
    ],
  );
  return toMarkdownTable(['file', 'contender', 'requests/s', 'p50, ms', 'p99, ms', 'CPU ms/request', 'not 2xx'], rows);
}

/** Requests of many images beside requests of one. */
export function toFormTable({ forms }: Results): string {
  const toRow = (title: string, kind: 'many' | 'single', images: number): string[] => [
    title,
    toSpread(
      forms.map((figure) => figure[kind].perSecond * images),
      1,
    ),
    toSpread(forms.map((figure) => figure[kind].p50Ms)),
    toSpread(
      forms.map((figure) => figure[kind].cpuMsPerRequest / images),
      1,
    ),
  ];
  return toMarkdownTable(
    ['requests', 'images/s', 'p50 of a request, ms', 'CPU ms/image'],
    [
      toRow(`of ${String(imagesPerForm)} images, 2 connections`, 'many', imagesPerForm),
      toRow('of one image, 16 connections', 'single', 1),
    ],
  );
}

/** How long the HTTP threads keep others waiting. */
export function toEventLoopTable({ eventLoop: { idle, busy } }: Results): string {
  const toRow = (title: string, livez: typeof idle, lag: string): string[] => [
    title,
    toMs(livez.p50Ms, 1),
    toMs(livez.p99Ms, 1),
    toMs(livez.maxMs, 1),
    String(livez.failed),
    lag,
  ];
  return toMarkdownTable(
    ['load', '/livez p50, ms', 'p99, ms', 'max, ms', 'failed', 'event-loop delay p99 since the start, ms'],
    [
      toRow('none', idle, ''),
      ...busy.map(({ size, livez, lagP99Ms }) => toRow(`${size}, 32 connections`, livez, toMs(lagP99Ms, 1))),
    ],
  );
}

/** One worker beside two. */
export function toScalingTable({ scaling }: Results): string {
  const names = [...new Set(scaling.map(({ contender }) => contender))];
  const rows = names.map((name) => {
    const those = scaling.filter(({ contender }) => contender === name);
    return [
      name,
      toSpread(
        those.map(({ one }) => one.perSecond),
        1,
      ),
      toSpread(
        those.map(({ all }) => all.perSecond),
        1,
      ),
      toSpread(
        those.map(({ one, all }) => all.perSecond / one.perSecond),
        2,
      ),
    ];
  });
  return toMarkdownTable(['contender', 'one worker, requests/s', 'two workers, requests/s', 'ratio'], rows);
}

/** ONNX Runtime in one process. */
export function toOnnxTable({ onnx }: Results): string {
  const rows = onnx.map(({ model, size, version, decode, inference }) => [
    `${model}, ${size}`,
    version,
    inference.cpuMs.toFixed(1),
    decode.cpuMs.toFixed(1),
    (inference.cpuMs + decode.cpuMs).toFixed(1),
  ]);
  return toMarkdownTable(
    ['model, size', 'ONNX Runtime', 'inference, CPU ms', 'decode by Pillow, CPU ms', 'both'],
    rows,
  );
}

/** Scores of the peers beside this project's. */
export function toScoreTable({ scores }: Results): string {
  const rows = scores.map(({ model, contender, largest, mean }) => [
    model,
    contender,
    largest.toFixed(4),
    mean.toFixed(4),
  ]);
  return toMarkdownTable(['model', 'contender', 'largest difference', 'mean'], rows);
}
