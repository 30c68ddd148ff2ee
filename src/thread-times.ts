import { readdirSync, readFileSync } from 'node:fs';

/** Times of one thread since the last call of a meter. */
export interface ThreadSpan {
  readonly cpuMs: number;
  /** Time in the run queue without a CPU, up to when it last ran. */
  readonly delayMs: number;
}

/** Times of one thread of this process since its start. */
interface ThreadTimes extends ThreadSpan {
  /** The main thread's is the process id. */
  readonly id: number;
  readonly nice: number;
}

const tasks = '/proc/self/task';

/**
 * Creates a meter of some threads of this process; it lists none without /proc. A call takes about 20 µs per thread.
 * @param isMeant selects threads by their nice value and the main thread's; the main thread is never included
 */
export function createThreadMeter(isMeant: (nice: number, mainNice: number) => boolean): () => ThreadSpan[] {
  let last = listThreads(isMeant);
  return () => {
    const now = listThreads(isMeant);
    const spans = [...now.values()].map(({ id, cpuMs, delayMs }) => {
      const before = last.get(id);
      return { cpuMs: cpuMs - (before?.cpuMs ?? 0), delayMs: delayMs - (before?.delayMs ?? 0) };
    });
    last = now;
    return spans;
  };
}

function listThreads(isMeant: (nice: number, mainNice: number) => boolean): Map<number, ThreadTimes> {
  const threads = listTasks().flatMap((id) => readThread(id) ?? []);
  const main = threads.find(({ id }) => id === process.pid);
  const meant = threads.filter((thread) => thread !== main && isMeant(thread.nice, main?.nice ?? 0));
  return new Map(meant.map((thread) => [thread.id, thread]));
}

function listTasks(): number[] {
  try {
    return readdirSync(tasks).map(Number);
  } catch {
    return [];
  }
}

function readThread(id: number): ThreadTimes | undefined {
  try {
    const task = `${tasks}/${String(id)}`;
    // The name in parentheses may hold spaces; the nice value is the 17th field after it (proc_pid_stat(5)).
    const fields = readFileSync(`${task}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    const [cpuNs, delayNs] = readFileSync(`${task}/schedstat`, 'utf8').split(' ').map(Number);
    return { id, nice: Number(fields[16]), cpuMs: (cpuNs ?? 0) / 1e6, delayMs: (delayNs ?? 0) / 1e6 };
  } catch {
    // The thread has ended.
    return undefined;
  }
}
