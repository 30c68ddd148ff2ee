import path from 'node:path';
import { type ChildResult, runChild } from '../src/setup/child.ts';
import { toLine } from '../src/setup/unavailable-error.ts';

/** Longer than compiling uWSGI or downloading TensorFlow takes. */
const timeoutMs = 1_200_000;

/**
 * Runs a program to its end. @returns what it wrote to stdout
 * @throws where it fails, with the line that says why
 */
export async function runToEnd(command: string, args: readonly string[]): Promise<string> {
  const { signal } = new AbortController();
  const result = await runChild(command, args, { environment: process.env, signal, timeoutMs });
  if (result.exitCode !== 0) throw new Error(`${path.basename(command)} ${args[0] ?? ''}: ${toReason(result)}`);
  return result.stdout;
}

/** pip's last lines are hints; what a compiler missed comes first. */
function toReason({ stdout, stderr, exitCode }: ChildResult): string {
  const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '');
  const reason =
    lines.find((line) => /fatal error:|C compiler/.test(line)) ??
    lines.findLast((line) => /error|broken/i.test(line)) ??
    lines.at(-1);
  return toLine(reason ?? `it ended with ${String(exitCode)}`);
}
