import { spawn } from 'node:child_process';
import { waitFor } from '../test/fixtures/wait-for.ts';
import { listTree, type ProcessMemory, readTreeCpuMs, readTreeMemory } from './process-tree.ts';

/** A program and everything that it started. */
export interface ProcessGroup {
  /** What all of them wrote, stdout and stderr together. */
  readonly output: () => string;
  readonly hasEnded: () => boolean;
  /** CPU time of all of them, since the start. */
  readonly readCpuMs: () => number;
  readonly readMemory: () => ProcessMemory[];
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
  const readMemory = (): ProcessMemory[] => (leader === undefined ? [] : readTreeMemory(leader));
  return {
    output: () => output,
    hasEnded: () => hasEnded,
    readCpuMs: () => (leader === undefined ? NaN : readTreeCpuMs(leader)),
    readMemory,
    readPssBytes: () => readMemory().reduce((sum, { pssBytes }) => sum + pssBytes, 0),
    kill: async () => {
      if (leader === undefined) return;
      await waitFor(() => killMembers(leader) === 0);
      leaders.delete(leader);
    },
  };
}

/** @returns how many there were */
function killMembers(leader: number): number {
  const living = listTree(leader).filter(({ isZombie }) => !isZombie);
  for (const { pid } of living) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended since it was listed.
    }
  }
  return living.length;
}
