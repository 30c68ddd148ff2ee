import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { toNativeEnvironment } from '../src/config/native-environment.ts';

/** Starts a file of this folder in a process of its own, which may load native TensorFlow and tells what it finds. */
export function startBenchProcess(file: string, args: readonly string[]): ChildProcess {
  return fork(path.join(import.meta.dirname, file), [...args], {
    env: { ...process.env, ...toNativeEnvironment(process.env) },
    stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
  });
}

/** Waits for what a process tells next. @throws Error where it ends before. */
export async function hearAnswer(child: ChildProcess): Promise<unknown> {
  const heard = new AbortController();
  const { signal } = heard;
  // A process's exit may be told before its last words; the end of the channel is not.
  const first = Promise.race([once(child, 'message', { signal }), once(child, 'disconnect', { signal })]);
  try {
    const [answer] = (await first) as unknown[];
    if (answer === undefined) throw new Error(`${child.spawnargs.slice(1).join(' ')} ended without an answer`);
    return answer;
  } finally {
    heard.abort();
  }
}
