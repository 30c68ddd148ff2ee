import { Worker } from 'node:worker_threads';
import { toEntryUrl } from '../entry-url.ts';
import type { DecodeTurn } from './decode-gate.ts';
import { toCorrupt } from './failures.ts';
import type { HeicFacts } from './header/heic.ts';
import { toHeicMemory } from './header/price.ts';

/** What a thread is started for. */
export interface HeicTask {
  readonly bytes: Uint8Array;
  readonly facts: HeicFacts;
  /** Of the decoder's own memory. */
  readonly maxMemoryBytes: number;
}

/** What it posts before it ends. */
export type HeicAnswer = { readonly tiff: Uint8Array<ArrayBuffer> } | { readonly reason: string };

/** How often it is asked whether anybody still waits, and there is time. */
const watchMs = 50;
/** For JavaScript, which holds little: pixels and the decoder's memory are outside of its heap. */
const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 };

/**
 * Decodes a HEIC in a thread of its own, which is ended when time or memory run out: the decoder is WebAssembly, and can be.
 * @returns an uncompressed TIFF of the upright picture, with its profile
 * @throws ERR_IMAGE_CORRUPT, ERR_DECODE_TIMEOUT, ERR_DEADLINE when nobody waits for it any more
 */
export function convertHeic(bytes: Uint8Array, facts: HeicFacts, turn: DecodeTurn): Promise<Uint8Array> {
  turn.assertWanted();
  // A copy of its own: with a view all of the request's memory would be copied.
  const copy = Uint8Array.from(bytes);
  const workerData: HeicTask = { bytes: copy, facts, maxMemoryBytes: toHeicMemory(facts) };
  const transferList = [copy.buffer];
  const thread = new Worker(toEntryUrl('./heic-thread', import.meta.url), { workerData, resourceLimits, transferList });
  const converting = new Promise<Uint8Array>((resolve, reject) => {
    const timer = setInterval(() => {
      try {
        turn.assertWanted();
      } catch (thrown) {
        settle(() => {
          reject(thrown instanceof Error ? thrown : toCorrupt('heic', thrown));
        });
      }
    }, watchMs);
    const settle = (end: () => void): void => {
      clearInterval(timer);
      end();
    };
    const fail = (cause: unknown): void => {
      settle(() => {
        reject(toCorrupt('heic', cause));
      });
    };
    thread.on('message', (answer: HeicAnswer) => {
      if ('reason' in answer) fail(new Error(answer.reason));
      else {
        settle(() => {
          resolve(answer.tiff);
        });
      }
    });
    thread.on('error', fail);
    thread.on('exit', () => {
      fail(new Error('the thread ended'));
    });
  });
  // Its place is free only when it is gone.
  return converting.finally(() => thread.terminate());
}
