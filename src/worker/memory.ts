import { readFile } from 'node:fs/promises';
import type { WorkerSnapshot } from '../ipc/messages.ts';

/** Measures this process; where the kernel doesn't tell shared from private pages, all count as private. */
export async function measureMemory(): Promise<WorkerSnapshot['memory']> {
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
