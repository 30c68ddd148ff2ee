import { ServiceError } from '../errors.ts';
import { startPatience } from '../patience.ts';
import { toWaitingEnd, type WaitingEnd, watchWaiting } from '../waiting.ts';
import { toTooSlow } from './failures.ts';
import type { DecodeLimits, DecodeWatch } from './types.ts';

/** Lets few decodes run at a time. */
interface DecodeGate {
  /**
   * Runs `decode` of a picture with `pixels` when it is its turn, and never when nobody waits for it by then.
   * @throws ERR_DEADLINE when nobody waits any more, ERR_IMAGE_CORRUPT when it does not end within
   * `limits.decodeTimeoutMs`.
   */
  run<T>(pixels: number, limits: DecodeLimits, watch: DecodeWatch, decode: () => Promise<T>): Promise<T>;
}

interface Waiting {
  readonly shares: number;
  readonly start: () => void;
}

/** A picture over half of the pixels that are allowed takes both, so that memory is bounded by one such picture. */
const allShares = 2;

/**
 * Creates a gate for one process. Without it the decodes of a burst would share the CPU and all run out of time, and
 * fill libuv's four threads, which files and name look-ups need too.
 */
export function createDecodeGate(): DecodeGate {
  const queue = new Set<Waiting>();
  let freeShares = allShares;

  const startNext = (): void => {
    for (const next of queue) {
      if (next.shares > freeShares) return;
      queue.delete(next);
      freeShares -= next.shares;
      next.start();
    }
  };

  return {
    run: (pixels, limits, watch, decode) =>
      new Promise((resolve, reject) => {
        const shares = pixels > limits.maxPixels / 2 ? allShares : 1;
        const stopWatch = watchWaiting(watch, (end) => {
          reject(toGivenUp(end));
          // The one that gave up may have been too large for what is free, and the next is not.
          if (queue.delete(waiting)) startNext();
        });
        const leave = (): void => {
          stopWatch();
          freeShares += shares;
        };
        const start = (): void => {
          const end = toWaitingEnd(watch);
          if (end !== undefined) {
            leave();
            reject(toGivenUp(end));
            return;
          }
          // Held until the native work is over, also when nobody waits for it any more: it still has its thread.
          void followNative(decode, limits, watch, reject)
            .then(resolve, reject)
            .finally(() => {
              leave();
              startNext();
            });
        };
        const waiting: Waiting = { shares, start };
        queue.add(waiting);
        startNext();
      }),
  };
}

/**
 * Follows native work, which can't be interrupted: tells `onLate` when its time is over, and the watch when it has not
 * come back after twice as long again.
 */
async function followNative<T>(
  decode: () => Promise<T>,
  { decodeTimeoutMs }: DecodeLimits,
  watch: DecodeWatch,
  onLate: (error: ServiceError) => void,
): Promise<T> {
  const leave = watch.enter?.();
  let stopWaiting = startPatience(decodeTimeoutMs, () => {
    onLate(toTooSlow(decodeTimeoutMs));
    stopWaiting = startPatience(2 * decodeTimeoutMs, () => watch.onHung?.());
  });
  try {
    return await decode();
  } finally {
    stopWaiting();
    leave?.();
  }
}

function toGivenUp(end: WaitingEnd): ServiceError {
  const detail = end === 'gone' ? 'the client is gone' : 'the image was admitted, but not decoded by the deadline';
  return new ServiceError('ERR_DEADLINE', detail);
}
