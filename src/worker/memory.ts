import { readFile } from 'node:fs/promises';
import type { WorkerSnapshot } from '../ipc/messages.ts';

type Memory = WorkerSnapshot['memory'];

/** The kernel walks all pages for it: 4 ms of CPU with TensorFlow in memory, while other threads can map nothing. */
const measureEveryMs = 5000;

/** Creates what tells the memory of this process, as it was measured lately. */
export function createMemoryMeter(): () => Promise<Memory> {
  let measuredAt = -Infinity;
  let measured: Promise<Memory> | undefined;
  return () => {
    const nowMs = performance.now();
    if (measured && nowMs - measuredAt < measureEveryMs) return measured;
    measuredAt = nowMs;
    measured = measureMemory();
    return measured;
  };
}

/** Where the kernel doesn't tell shared from private pages, all count as private. */
async function measureMemory(): Promise<Memory> {
  try {
    const rollup = await readFile('/proc/self/smaps_rollup', 'utf8');
    const toBytes = (field: string): number =>
      Number(new RegExp(`^${field}: +(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0) * 1024;
    const privateBytes = toBytes('Private_Clean') + toBytes('Private_Dirty');
    return { rssBytes: toBytes('Rss'), pssBytes: toBytes('Pss'), privateBytes };
  } catch {
    const rssBytes = process.memoryUsage.rss();
    return { rssBytes, pssBytes: rssBytes, privateBytes: rssBytes };
  }
}
