// Renders samples beside the training thread.
import { parentPort, workerData } from 'node:worker_threads';
import sharp from 'sharp';
import { toMessage } from '../../errors.ts';
import type { Size } from '../../image/types.ts';
import type { Picture } from './photos.ts';
import { renderSample, type Sample } from './samples.ts';

/** What a thread gets at its start. */
export interface SampleThreadData {
  /** Pixels are in shared memory. */
  readonly photos: readonly Picture[];
  readonly seed: number;
}

/** A request for one sample. */
export interface SampleRequest {
  readonly index: number;
  readonly size: Size;
}

/** The answer to a request. */
export type SampleAnswer =
  | { readonly kind: 'made'; readonly index: number; readonly sample: Sample }
  | { readonly kind: 'failed'; readonly index: number; readonly reason: string };

const port = parentPort;
if (!port) throw new Error('sample-thread runs as a worker thread only');
// One thread for each CPU already renders samples.
sharp.concurrency(1);
const { photos, seed } = workerData as SampleThreadData;

port.on('message', ({ index, size }: SampleRequest) => {
  renderSample(photos, seed, index, size).then(
    (sample) => {
      const { raster, targets, mapTargets } = sample;
      const memory = [raster, targets, mapTargets].map(({ buffer }) => buffer as ArrayBuffer);
      port.postMessage({ kind: 'made', index, sample } satisfies SampleAnswer, memory);
    },
    (thrown: unknown) => {
      port.postMessage({ kind: 'failed', index, reason: toMessage(thrown) } satisfies SampleAnswer);
    },
  );
});
