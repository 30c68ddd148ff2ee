import { readFileSync } from 'node:fs';
import { tickMs, toProcessStat } from './process-tree.ts';

/** CPU time that processes have used since they started, all of their threads. */
export function readCpuMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const stat = toProcessStat(readFileSync(`/proc/${String(pid)}/stat`, 'utf8'));
    return sum + (stat?.cpuMs ?? NaN);
  }, 0);
}

/** CPU time that the whole machine has used since it started, all CPUs together. */
export function readMachineCpuMs(): number {
  const [total = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const ticks = total.split(/ +/).slice(1, 9).map(Number);
  const [, , , idle = NaN, waiting = NaN] = ticks;
  return (ticks.reduce((sum, count) => sum + count, 0) - idle - waiting) * tickMs;
}
