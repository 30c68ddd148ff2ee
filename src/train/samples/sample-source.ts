import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { toEntryUrl } from '../../entry-url.ts';
import type { Size } from '../../image/types.ts';
import type { Picture } from './photos.ts';
import type { SampleAnswer, SampleRequest, SampleThreadData } from './sample-thread.ts';
import type { Sample } from './samples.ts';

/** Renders samples by number in threads, ahead of their use. */
export interface SampleSource {
  /** Resolves to a requested sample, once. @throws Error where it was not requested or can't be rendered */
  take(index: number): Promise<Sample>;
  /** Starts to render a sample. */
  request(index: number, size: Size): void;
  stop(): Promise<void>;
}

interface Requested {
  readonly promise: Promise<Sample>;
  readonly resolve: (sample: Sample) => void;
  readonly reject: (error: Error) => void;
}

/** Starts one sample thread for each CPU. */
export function startSampleSource(photos: readonly Picture[], seed: number): SampleSource {
  const shared = photos.map((photo) => ({ ...photo, pixels: toShared(photo.pixels) }));
  const workerData: SampleThreadData = { photos: shared, seed };
  const requested = new Map<number, Requested>();
  let failure: Error | undefined;
  const threads = Array.from({ length: availableParallelism() }, () => {
    const thread = new Worker(toEntryUrl('./sample-thread', import.meta.url), { workerData });
    thread.on('message', (answer: SampleAnswer) => {
      if (answer.kind === 'made') requested.get(answer.index)?.resolve(answer.sample);
      else requested.get(answer.index)?.reject(new Error(answer.reason));
    });
    thread.on('error', (error: Error) => {
      failure = error;
      for (const { reject } of requested.values()) reject(error);
    });
    return thread;
  });
  return {
    request(index, size) {
      const sample = createRequested();
      requested.set(index, sample);
      // A dead thread never answers.
      if (failure) sample.reject(failure);
      else threads[index % threads.length]?.postMessage({ index, size } satisfies SampleRequest);
    },
    async take(index) {
      const sample = requested.get(index);
      if (!sample) throw new Error(`sample ${String(index)} was not requested`);
      try {
        return await sample.promise;
      } finally {
        requested.delete(index);
      }
    },
    async stop() {
      await Promise.all(threads.map((thread) => thread.terminate()));
    },
  };
}

function createRequested(): Requested {
  let [resolve, reject]: [Requested['resolve'], Requested['reject']] = [() => undefined, () => undefined];
  const promise = new Promise<Sample>((onResolve, onReject) => {
    [resolve, reject] = [onResolve, onReject];
  });
  // A failure before `take` is no unhandled rejection: `take` passes it on.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}

function toShared(pixels: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(pixels.length));
  shared.set(pixels);
  return shared;
}
