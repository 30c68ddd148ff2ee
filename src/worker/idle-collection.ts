import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** A full collection takes 10 to 50 ms; less than this is left for V8 to collect when it wants to. */
const worthwhileBytes = 16 * 2 ** 20;

/** What V8 knows of this process. */
export interface Heap {
  /** Bytes of buffers that are in use or not yet collected. */
  readonly bufferBytes: () => number;
  readonly collect: () => void;
}

/**
 * Creates what lets go of uploads that are over, to be called from time to time with the requests in flight. V8 collects when
 * something is allocated: after a flood of unfinished uploads an idle worker would hold hundreds of MB until the next one.
 */
export function createIdleCollector(heap: Heap = openHeap()): (inFlight: number) => void {
  let keptBytes = heap.bufferBytes();
  return (inFlight) => {
    const bytes = heap.bufferBytes();
    keptBytes = Math.min(keptBytes, bytes);
    if (inFlight > 0 || bytes - keptBytes < worthwhileBytes) return;
    heap.collect();
    keptBytes = heap.bufferBytes();
  };
}

function openHeap(): Heap {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // `process.memoryUsage` opens a file, and fails where descriptors have run out.
  return { bufferBytes: () => getHeapStatistics().external_memory, collect };
}
