import { readFileSync } from 'node:fs';

/** Clock ticks of `/proc/<pid>/stat`, which are 1/100 s on every Linux that Node runs on. */
const tickMs = 10;

/** CPU time that processes have used since they started, all of their threads. */
export function readCpuMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    // The second field is the name in brackets, which may have spaces; user and system time are fields 14 and 15.
    const [userTicks, systemTicks] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13)
      .map(Number);
    return sum + ((userTicks ?? NaN) + (systemTicks ?? NaN)) * tickMs;
  }, 0);
}

/** CPU time that the whole machine has used since it started, all CPUs together. */
export function readMachineCpuMs(): number {
  const [total = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const ticks = total.split(/ +/).slice(1, 9).map(Number);
  const [, , , idle = NaN, waiting = NaN] = ticks;
  return (ticks.reduce((sum, count) => sum + count, 0) - idle - waiting) * tickMs;
}
