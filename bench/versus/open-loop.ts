import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { PacedAnswer, PaceOrder } from '../open-load.ts';

/** A process that uploads at a pace of its own. */
export interface PacedLoad {
  readonly run: (order: PaceOrder) => Promise<PacedAnswer[]>;
  readonly stop: () => void;
}

/** Starts the process that makes the load. */
export function startPacedLoad(): PacedLoad {
  const child = fork(path.join(import.meta.dirname, '..', 'open-load.ts'), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  return {
    run: (order) => send(child, order),
    stop: () => child.kill('SIGKILL'),
  };
}

async function send(child: ChildProcess, order: PaceOrder): Promise<PacedAnswer[]> {
  const ended = new AbortController();
  const { signal } = ended;
  try {
    child.send(order);
    const [answers] = (await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(() => [undefined]),
    ])) as [PacedAnswer[] | undefined];
    if (answers === undefined) throw new Error('the process that makes the open load has ended');
    return answers;
  } finally {
    ended.abort();
  }
}
