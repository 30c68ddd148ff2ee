import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** A full collection takes 10 to 50 ms; less than this is left to V8. */
const worthwhileBytes = 16 * 2 ** 20;

/** The V8 heap of this process. */
export interface Heap {
  /** Bytes of buffers that are in use or not yet collected. */
  readonly bufferBytes: () => number;
  readonly collect: () => void;
}

/**
 * Creates a function that frees finished uploads, to call from time to time with the number of requests in flight. V8
 * collects only at allocations: after a flood of aborted uploads an idle worker would hold hundreds of MB.
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
