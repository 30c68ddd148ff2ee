import { ServiceError } from '../errors.ts';
import { waitForNative } from './failures.ts';
import type { DecodeLimits } from './types.ts';

/** Lets few decodes run at a time. */
interface DecodeGate {
  /**
   * Runs `decode` of a picture with `pixels` when it is its turn.
   * @throws ERR_OVERLOADED when its turn does not come within twice `limits.decodeTimeoutMs`, ERR_IMAGE_CORRUPT when it
   * does not end within `limits.decodeTimeoutMs` from there.
   */
  run<T>(pixels: number, limits: DecodeLimits, decode: () => Promise<T>): Promise<T>;
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
  const queue: Waiting[] = [];
  let freeShares = allShares;

  const startNext = (): void => {
    for (let next = queue[0]; next !== undefined && next.shares <= freeShares; next = queue[0]) {
      queue.shift();
      freeShares -= next.shares;
      next.start();
    }
  };

  const takeTurn = (shares: number, limits: DecodeLimits): Promise<void> =>
    new Promise((resolve, reject) => {
      const giveUp = setTimeout(() => {
        queue.splice(queue.indexOf(waiting), 1);
        // The one that gave up may have been too large for what is free, and the next is not.
        startNext();
        const detail = 'too many images are being decoded';
        reject(new ServiceError('ERR_OVERLOADED', detail, { retryAfterSeconds: 1 }));
      }, 2 * limits.decodeTimeoutMs);
      const start = (): void => {
        clearTimeout(giveUp);
        resolve();
      };
      const waiting: Waiting = { shares, start };
      queue.push(waiting);
      startNext();
    });

  return {
    async run(pixels, limits, decode) {
      const shares = pixels > limits.maxPixels / 2 ? allShares : 1;
      await takeTurn(shares, limits);
      const running = decode();
      const leave = (): void => {
        freeShares += shares;
        startNext();
      };
      // Held until the native work is over, also when nobody waits for it any more: it still has its thread.
      running.then(leave, leave);
      return waitForNative(running, limits);
    },
  };
}
