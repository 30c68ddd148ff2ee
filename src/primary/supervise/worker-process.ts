import cluster, { type Worker } from 'node:cluster';
import { toNativeEnvironment } from '../../config/native-environment.ts';
import { type InFlightRecord, openInFlightRecord } from '../../ipc/in-flight-journal.ts';
import { accessDescriptor, eventsDescriptor, journalDescriptor } from '../../ipc/worker-descriptors.ts';

/** A process that loads a worker's modules, says `hello` and waits for `start`. */
export interface WorkerProcess {
  readonly worker: Worker;
  /** The images that its native code works on. */
  readonly inFlightRecord: InFlightRecord | undefined;
}

/**
 * Size in MB of a semi-space of the young generation, per thread of a worker. The default grows to 16 under load and keeps
 * dead uploads and pictures longer: with 4, a worker holds 160 MB of private memory, not 183, at the same GC time.
 */
const heapFlag = '--max-semi-space-size=4';

/** Sets what a worker process runs. @param execArgv Node's own options for it */
export function setUpWorkers(exec: string, execArgv: readonly string[]): void {
  cluster.setupPrimary({ exec, execArgv: [heapFlag, ...execArgv], args: [], serialization: 'advanced' });
}

/** Forks a process. @throws Error if the system refuses to */
export function forkWorker(): WorkerProcess {
  const inFlightRecord = openInFlightRecord();
  const stdio: ('inherit' | 'pipe' | 'ignore' | 'ipc' | number)[] = ['inherit', 'pipe', 'pipe', 'ipc'];
  stdio[journalDescriptor] = inFlightRecord?.descriptor ?? 'ignore';
  stdio[eventsDescriptor] = process.stderr.fd;
  stdio[accessDescriptor] = process.stdout.fd;
  cluster.setupPrimary({ stdio });
  try {
    return {
      worker: cluster.fork({ IMAGE_CHECK_ROLE: 'worker', ...toNativeEnvironment(process.env) }),
      inFlightRecord,
    };
  } catch (error) {
    inFlightRecord?.close();
    throw error;
  }
}
