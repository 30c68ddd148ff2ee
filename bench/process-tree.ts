import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { toProcessMemory } from '../src/smaps-rollup.ts';

/** Clock ticks of `/proc`, which are 1/100 s on every Linux that Node runs on. */
export const tickMs = 10;

/** What `/proc/<pid>/stat` tells. */
export interface ProcessStat {
  readonly pid: number;
  /** Ended, but its parent has not asked how. */
  readonly isZombie: boolean;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** CPU time of all its threads. */
  readonly cpuMs: number;
  /** CPU time of its children that have ended and were asked how. */
  readonly reapedCpuMs: number;
}

/** What one process holds. */
export interface ProcessMemory {
  readonly pid: number;
  /** Proportional: what processes share is divided among them. */
  readonly pssBytes: number;
  readonly privateBytes: number;
}

/** Reads the text of `/proc/<pid>/stat`; undefined of anything else. */
export function toProcessStat(text: string): ProcessStat | undefined {
  // The second field is the name of the program, which may contain anything.
  const end = text.lastIndexOf(') ');
  const pid = Number.parseInt(text, 10);
  const [state, ...numbers] = text.slice(end + 2).split(' ');
  const [parent, group, session] = numbers.map(Number);
  const [user, system, childUser, childSystem] = numbers.slice(10, 14).map(Number);
  if (end === -1 || Number.isNaN(pid) || childSystem === undefined) return undefined;
  return {
    pid,
    isZombie: state === 'Z',
    parent: parent ?? NaN,
    group: group ?? NaN,
    session: session ?? NaN,
    cpuMs: ((user ?? NaN) + (system ?? NaN)) * tickMs,
    reapedCpuMs: ((childUser ?? NaN) + childSystem) * tickMs,
  };
}

/** Lists a process, those of its group and session, and all descendants, also those that have left both. */
export function listTree(leader: number, procDir = '/proc'): ProcessStat[] {
  const all = readdirSync(procDir)
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => toProcessStat(readProcFile(procDir, name, 'stat')) ?? []);
  const members = new Map<number, ProcessStat>();
  for (let known = -1; known < members.size;) {
    known = members.size;
    for (const stat of all) {
      const isMember = [stat.pid, stat.group, stat.session].includes(leader) || members.has(stat.parent);
      if (isMember) members.set(stat.pid, stat);
    }
  }
  return [...members.values()];
}

/** Sums the CPU time of a tree since it started, those included that have ended since. */
export function readTreeCpuMs(leader: number, procDir = '/proc'): number {
  return listTree(leader, procDir).reduce((sum, { cpuMs, reapedCpuMs }) => sum + cpuMs + reapedCpuMs, 0);
}

/** Reads what each living process of a tree holds. */
export function readTreeMemory(leader: number, procDir = '/proc'): ProcessMemory[] {
  return listTree(leader, procDir)
    .filter(({ isZombie }) => !isZombie)
    .map(({ pid }) => toTreeMemory(pid, readProcFile(procDir, String(pid), 'smaps_rollup')));
}

function toTreeMemory(pid: number, rollup: string): ProcessMemory {
  const memory = toProcessMemory(rollup);
  return { pid, pssBytes: memory?.pssBytes ?? 0, privateBytes: memory?.privateBytes ?? 0 };
}

/** Empty where the process has ended since it was listed. */
function readProcFile(procDir: string, pid: string, name: string): string {
  try {
    return readFileSync(path.join(procDir, pid, name), 'utf8');
  } catch {
    return '';
  }
}
