import type { PacedAnswer } from '../../open-load.ts';
import { toQuantile } from '../../statistics.ts';
import type { PacedLoad } from '../open-loop.ts';
import type { SizeName } from '../pictures.ts';
import { type Server, waitForCalm } from '../server.ts';
import { type Stage, toSizeLoad, writeUploads } from '../stage.ts';

/** What clients met who came at a pace of their own. */
export interface OpenFigure {
  readonly contender: string;
  readonly size: SizeName;
  /** The pace by the contender's own capacity. */
  readonly share: number;
  readonly perSecond: number;
  readonly accepted: Answers;
  readonly rejected: Answers & {
    /** How often each status; 0: no answer. */
    readonly statuses: Readonly<Record<string, number>>;
    readonly retryAfterSeconds: readonly number[];
  };
  /** CPU time of the process tree by answers of 2xx. */
  readonly cpuMsPerRequest: number;
}

interface Answers {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Percent, and the time within which so many were answered. */
  readonly curve: readonly (readonly [percent: number, ms: number])[];
}

const curvePercents = [...Array.from({ length: 20 }, (_, index) => index * 5), 97.5, 99, 99.5, 99.9, 100];

/** Sends at a share of a capacity, and counts from when each request was due. */
export async function measurePace(
  stage: Stage,
  load: PacedLoad,
  server: Server,
  { size, share, capacity, seconds }: { size: SizeName; share: number; capacity: number; seconds: number },
): Promise<OpenFigure> {
  const { contentType, bodyFiles } = writeUploads(stage, server.contender, toSizeLoad(stage, size));
  const perSecond = share * capacity;
  const before = server.group.readCpuMs();
  const order = { url: server.url, files: bodyFiles, contentType, perSecond, seconds, arrivals: 'poisson' } as const;
  const answers = await load.run(order);
  const cpuMs = server.group.readCpuMs() - before;
  await waitForCalm(server);
  const figure = toOpenFigure(answers);
  const { name } = server.contender;
  console.log(
    `  ${name} at ${String(share)} × ${capacity.toFixed(0)} a second: p99 ${figure.accepted.p99Ms.toFixed(0)} ms, ${String(figure.rejected.count)} rejected`,
  );
  return {
    ...figure,
    contender: name,
    size,
    share,
    perSecond,
    cpuMsPerRequest: cpuMs / figure.accepted.count,
  };
}

/** Parts answers into those with a status of 2xx and all others. */
export function toOpenFigure(answers: readonly PacedAnswer[]): Pick<OpenFigure, 'accepted' | 'rejected'> {
  const isAccepted = ({ status }: PacedAnswer): boolean => status >= 200 && status < 300;
  const rejected = answers.filter((answer) => !isAccepted(answer));
  const statuses: Record<string, number> = {};
  for (const { status } of rejected) statuses[String(status)] = (statuses[String(status)] ?? 0) + 1;
  const waits = rejected.flatMap(({ retryAfterSeconds = [] }) => retryAfterSeconds);
  return {
    accepted: toAnswers(answers.filter(isAccepted)),
    rejected: {
      ...toAnswers(rejected),
      statuses,
      retryAfterSeconds: waits.length === 0 ? [] : [Math.min(...waits), Math.max(...waits)],
    },
  };
}

function toAnswers(answers: readonly PacedAnswer[]): Answers {
  const times = answers.map(({ latencyMs }) => latencyMs);
  return {
    count: times.length,
    p50Ms: toQuantile(times, 0.5),
    p99Ms: toQuantile(times, 0.99),
    curve: curvePercents.map((percent) => [percent, toQuantile(times, percent / 100)]),
  };
}
