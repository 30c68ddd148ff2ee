import { fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { ClosedOrder } from '../closed-load.ts';
import type { LoadCounts, LoadFigure } from '../load-figure.ts';
import { toLoadFigure } from '../load-figure.ts';
import { toWrkFigure } from './wrk-output.ts';

/** Connections that upload again as soon as they are answered. */
export interface ClosedLoad {
  readonly url: string;
  /** Whole requests, which take turns. */
  readonly requestFiles: readonly string[];
  /** Their bodies. */
  readonly bodyFiles: readonly string[];
  readonly contentType: string;
  readonly connections: number;
  readonly seconds: number;
}

/** What makes the load: wrk, or autocannon, which takes more of the CPU that the service could use. */
export interface LoadTool {
  readonly name: string;
  readonly run: (load: ClosedLoad) => Promise<LoadFigure>;
}

const script = path.join(import.meta.dirname, 'uploads.lua');
const fallback = path.join(import.meta.dirname, '..', 'closed-load.ts');

/** Looks for wrk. */
export function findLoadTool(): LoadTool {
  const { error, stdout } = spawnSync('wrk', ['--version'], { encoding: 'utf8' });
  if (error) return { name: 'autocannon (wrk is not installed)', run: runAutocannon };
  const [, version = ''] = /^wrk (?:debian\/)?(\S+)/.exec(stdout) ?? [];
  return { name: `wrk ${version}`, run: runWrk };
}

/** Uploads with wrk, in a process of its own. @throws where it gives no result */
export async function runWrk({ url, requestFiles, connections, seconds }: ClosedLoad): Promise<LoadFigure> {
  const args = ['-t1', `-c${String(connections)}`, `-d${String(seconds)}s`, '--timeout', '60s', '-s', script, url];
  const child = spawn('wrk', [...args, '--', ...requestFiles], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  await once(child, 'close');
  return toWrkFigure(output, connections);
}

async function runAutocannon({ url, bodyFiles, contentType, connections, seconds }: ClosedLoad): Promise<LoadFigure> {
  const child = fork(fallback, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  try {
    const order: ClosedOrder = { url, files: bodyFiles, contentType, connections, seconds };
    child.send(order);
    const [counts] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [
      LoadCounts | number | null,
    ];
    if (counts === null || typeof counts === 'number') throw new Error(`autocannon ended with ${String(counts)}`);
    return toLoadFigure(counts);
  } finally {
    child.kill('SIGKILL');
  }
}
