import { waitFor } from '../../test/fixtures/wait-for.ts';
import { type ProcessGroup, startGroup } from '../process-group.ts';
import { type Upload, uploadAll } from './parallel-uploads.ts';
import { type Command, logPatterns, type Way, workerCount } from './ways.ts';

/** What came of one way. */
export interface Trial {
  readonly uploads: readonly Upload[];
  /** Process ids, in the order of starting; a killed worker and its successor are two. */
  readonly workers: readonly number[];
  /** Workers that the tool found stuck and killed. */
  readonly kills: number;
  /** Proportional memory of all processes, when all uploads were answered or time was up. */
  readonly pssBytes: number;
  /** From the command to a service that takes uploads. */
  readonly startMs: number;
}

/** Importing TensorFlow and loading a model take 15 s on a machine that does other things as well. */
const startLimitMs = 120_000;

/** Starts a service, uploads all photographs at once, and kills it. @throws where it does not start */
export async function runTrial(way: Way, command: Command, photos: readonly Blob[], limitMs: number): Promise<Trial> {
  const patterns = logPatterns[way.tool];
  const startedAt = performance.now();
  const group = startGroup(command.file, command.args, command);
  try {
    const url = await findUrl(group, way);
    const startMs = performance.now() - startedAt;
    const uploads = await uploadAll(url, photos, limitMs);
    const pssBytes = group.readPssBytes();
    const workers = [...group.output().matchAll(patterns.worker)].map(([, pid]) => Number(pid));
    const kills = countMatches(group, patterns.killed);
    return { uploads, workers, kills, pssBytes, startMs };
  } finally {
    await group.kill();
  }
}

async function findUrl(group: ProcessGroup, { tool, load }: Way): Promise<string> {
  const { port, worker, ready } = logPatterns[tool];
  const readyCount = load === 'import' ? 1 : workerCount;
  const isUp = (): boolean =>
    port.test(group.output()) && countMatches(group, worker) >= workerCount && countMatches(group, ready) >= readyCount;
  await waitFor(() => group.hasEnded() || isUp(), 'it serves or has ended', startLimitMs).catch(() => undefined);
  const found = port.exec(group.output())?.[1];
  if (found === undefined || !isUp() || group.hasEnded()) {
    throw new Error(`it did not start: ${group.output().trim().split('\n').at(-1) ?? ''}`);
  }
  return `http://127.0.0.1:${found}`;
}

function countMatches(group: ProcessGroup, pattern: RegExp): number {
  return [...group.output().matchAll(pattern)].length;
}
