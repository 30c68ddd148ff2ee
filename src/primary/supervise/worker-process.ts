import cluster, { type Worker } from 'node:cluster';
import { toNativeEnvironment } from '../../config/native-environment.ts';
import { type InFlightRecord, openInFlightRecord } from '../../ipc/in-flight-journal.ts';
import { accessDescriptor, eventsDescriptor, journalDescriptor } from '../../ipc/worker-descriptors.ts';

/** A process that loads a worker's modules, says `hello` and waits for `start`. */
export interface WorkerProcess {
  readonly worker: Worker;
  /** What it notes of images that native code works on. */
  readonly inFlightRecord: InFlightRecord | undefined;
}

/**
 * Megabytes of half a young generation, of each thread of a worker. By itself it grows to 16 under load, and dead uploads
 * and pictures stay the longer: so a worker holds 160 MB of its own instead of 183, and collects for no longer a request.
 */
const heapFlag = '--max-semi-space-size=4';

/** Says what a worker process runs. @param execArgv Node's own options for it */
export function setUpWorkers(exec: string, execArgv: readonly string[]): void {
  cluster.setupPrimary({ exec, execArgv: [heapFlag, ...execArgv], args: [], serialization: 'advanced' });
}

/** Forks a process. @throws Error where the system refuses to */
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
