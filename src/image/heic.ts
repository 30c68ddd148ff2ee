import { Worker } from 'node:worker_threads';
import { toEntryUrl } from '../entry-url.ts';
import type { DecodeTurn } from './decode-gate.ts';
import { toCorrupt } from './failures.ts';
import type { HeicFacts } from './header/heic.ts';
import { toHeicMemory } from './header/price.ts';

/** The input of a decoder thread. */
export interface HeicTask {
  readonly bytes: Uint8Array;
  readonly facts: HeicFacts;
  /** Of the decoder's own memory. */
  readonly maxMemoryBytes: number;
}

/** The message that a decoder thread posts before it ends. */
export type HeicAnswer = { readonly tiff: Uint8Array<ArrayBuffer> } | { readonly reason: string };

/** Interval for checking the deadline and the time budget. */
const watchMs = 50;
/** The JavaScript heap holds little: pixels and the decoder's memory are outside of it. */
const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 };

/**
 * Decodes a HEIC in a thread of its own, which is terminated when time or memory run out: the decoder is WebAssembly, so it can
 * be terminated.
 * @returns an uncompressed TIFF of the upright picture, with its profile
 * @throws ERR_IMAGE_CORRUPT, ERR_DECODE_TIMEOUT, ERR_DEADLINE when the caller is gone
 */
export function convertHeic(bytes: Uint8Array, facts: HeicFacts, turn: DecodeTurn): Promise<Uint8Array> {
  turn.assertWanted();
  // Posting a view would copy all memory of the request.
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
  // The turn ends only when the thread is gone.
  return converting.finally(() => thread.terminate());
}
