import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { waitFor } from '../../test/fixtures/wait-for.ts';

/** A program and everything that it started. */
export interface ProcessGroup {
  /** What all of them wrote, stdout and stderr together. */
  readonly output: () => string;
  readonly hasEnded: () => boolean;
  /** Proportional memory: what processes share counts once. */
  readonly readPssBytes: () => number;
  /** Resolves when all of them are gone. */
  readonly kill: () => Promise<void>;
}

const leaders = new Set<number>();
process.on('exit', () => {
  for (const leader of leaders) killMembers(leader);
});

/** Starts a program as the leader of a process group, which is killed when this process exits, at the latest. */
export function startGroup(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): ProcessGroup {
  const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const leader = child.pid;
  if (leader !== undefined) leaders.add(leader);
  let output = '';
  let hasEnded = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.on('exit', () => (hasEnded = true));
  child.on('error', (error) => {
    output += error.message;
    hasEnded = true;
  });
  return {
    output: () => output,
    hasEnded: () => hasEnded,
    readPssBytes: () => listMembers(leader).reduce((sum, pid) => sum + readPssBytes(pid), 0),
    kill: async () => {
      if (leader === undefined) return;
      await waitFor(() => killMembers(leader) === 0);
      leaders.delete(leader);
    },
  };
}

/** @returns how many there were */
function killMembers(leader: number): number {
  const members = listMembers(leader);
  for (const pid of members) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended since it was listed.
    }
  }
  return members.length;
}

/** The living of a group, and descendants of its leader that have left it. */
function listMembers(leader: number | undefined): number[] {
  const members = new Set<number>();
  const processes = readdirSync('/proc').flatMap((name) => readProcess(name) ?? []);
  for (let known = -1; known < members.size;) {
    known = members.size;
    for (const { pid, parent, group } of processes) {
      if (pid === leader || group === leader || members.has(parent)) members.add(pid);
    }
  }
  return [...members];
}

function readProcess(name: string): { pid: number; parent: number; group: number } | undefined {
  if (!/^\d+$/.test(name)) return undefined;
  // The second field is the name of the program, which may contain anything.
  const [, state, parent, group] = /.*\) (\S) (\d+) (\d+) /s.exec(readProcFile(`${name}/stat`)) ?? [];
  return state === undefined || state === 'Z'
    ? undefined
    : { pid: Number(name), parent: Number(parent), group: Number(group) };
}

function readPssBytes(pid: number): number {
  const [, kilobytes] = /^Pss:\s+(\d+) kB$/m.exec(readProcFile(`${String(pid)}/smaps_rollup`)) ?? [];
  return Number(kilobytes ?? 0) * 1024;
}

function readProcFile(name: string): string {
  try {
    return readFileSync(`/proc/${name}`, 'utf8');
  } catch {
    return '';
  }
}
