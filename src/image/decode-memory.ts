import { type Deadline, watchDeadline } from '../deadline.ts';
import { toGivenUp } from './failures.ts';

/** Memory that is reserved for one picture. */
export interface MemoryPermit {
  /** Runs native work. The memory stays reserved until it ends, even if the caller is gone. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Frees the memory as soon as no work is running. Run nothing after that. */
  release(): void;
}

/** Admits decodes by the bytes that they need. */
interface DecodeMemory {
  /**
   * Waits until `bytes` of `maxBytes` are free. First come, first served, so that small pictures do not starve a large one;
   * what needs more than `maxBytes` waits for all of it.
   * @throws ERR_DEADLINE when the caller is gone
   */
  acquire(bytes: number, maxBytes: number, deadline: Deadline): Promise<MemoryPermit>;
}

interface Request {
  readonly bytes: number;
  readonly maxBytes: number;
  readonly admit: () => void;
}

/** Creates the accounting of one process. */
export function createDecodeMemory(): DecodeMemory {
  const queue = new Set<Request>();
  let usedBytes = 0;

  const admitNext = (): void => {
    for (const request of queue) {
      if (usedBytes > 0 && usedBytes + request.bytes > request.maxBytes) return;
      queue.delete(request);
      usedBytes += request.bytes;
      request.admit();
    }
  };

  return {
    acquire: (bytes, maxBytes, deadline) =>
      new Promise((resolve, reject) => {
        const stopWatch = watchDeadline(deadline, (end) => {
          reject(toGivenUp(end));
          // The next may be smaller.
          if (queue.delete(request)) admitNext();
        });
        const admit = (): void => {
          stopWatch();
          resolve(
            createPermit(() => {
              usedBytes -= bytes;
              admitNext();
            }),
          );
        };
        const request: Request = { bytes, maxBytes, admit };
        queue.add(request);
        admitNext();
      }),
  };
}

function createPermit(free: () => void): MemoryPermit {
  let running = 0;
  let isReleased = false;
  let isFree = false;
  const settle = (): void => {
    if (!isReleased || running > 0 || isFree) return;
    isFree = true;
    free();
  };
  return {
    async run(work) {
      running += 1;
      try {
        return await work();
      } finally {
        running -= 1;
        settle();
      }
    },
    release() {
      isReleased = true;
      settle();
    },
  };
}
