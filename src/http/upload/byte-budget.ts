import { ServiceError } from '../../errors.ts';

/** Bytes of uploads that a worker may hold at one time. */
export interface ByteBudget {
  /**
   * Takes a permit and returns its release, which counts once however often it is called.
   * @throws {@link ServiceError} ERR_OVERLOADED while so many bytes are not free.
   */
  acquire(bytes: number): () => void;
}

/** Creates a budget of `maxBytes`. */
export function createByteBudget(maxBytes: number): ByteBudget {
  let heldBytes = 0;
  return {
    acquire(bytes) {
      if (heldBytes + bytes > maxBytes) {
        throw new ServiceError('ERR_OVERLOADED', 'too many bytes of uploads are held at the moment', {
          retryAfterSeconds: 1,
        });
      }
      heldBytes += bytes;
      let isHeld = true;
      return () => {
        if (isHeld) heldBytes -= bytes;
        isHeld = false;
      };
    },
  };
}
