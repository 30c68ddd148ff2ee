import { totalmem } from 'node:os';
import { countCpus } from './cpu-count.ts';
import type { Config } from './schema.ts';

/** Memory under ordinary load, measured with the shipped model, without large images (`image.maxDecodeBytes`). */
const primaryBytes = 120e6;
const workerBytes = 280e6;
/** Per additional model thread: a model instance and the memory of a batch. */
const modelThreadBytes = 60e6;

/** The number of workers to fork, and the reason. */
export interface WorkerPlan {
  readonly count: number;
  /** One line for the log. */
  readonly reason: string;
}

/** CPUs and memory that the machine or the cgroup allows. */
interface Allowance {
  readonly cpus: number;
  /** Undefined where memory is not limited. */
  readonly memoryBytes: number | undefined;
}

/** Reads the cgroup's memory limit; undefined if there is none below the machine's memory. */
export function readMemoryLimit(): number | undefined {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : undefined;
}

/** Plans the workers; `auto`: one per CPU, as far as the memory limit allows, at least one. */
export function planWorkers(
  { workers, worker }: Config,
  { cpus, memoryBytes }: Allowance = { cpus: countCpus(), memoryBytes: readMemoryLimit() },
): WorkerPlan {
  const each = workerBytes + (worker.modelThreads - 1) * modelThreadBytes;
  const held = memoryBytes === undefined ? Infinity : Math.floor((memoryBytes - primaryBytes) / each);
  const count = workers === 'auto' ? Math.max(1, Math.min(cpus, held)) : workers;
  const memory =
    memoryBytes === undefined
      ? 'no memory limit'
      : `a memory limit of ${toMegabytes(memoryBytes)}, enough for ${toMegabytes(primaryBytes)} and ${String(Math.max(0, held))} workers of ${toMegabytes(each)}`;
  return {
    count,
    reason: `${String(cpus)} CPUs, ${memory}${count > held ? ': the kernel may kill workers for memory' : ''}`,
  };
}

function toMegabytes(bytes: number): string {
  return `${String(Math.round(bytes / 1e6))} MB`;
}
