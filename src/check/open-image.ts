import { giveBytes } from '../image/byte-pool.ts';
import { decodeMeasured } from '../image/decode.ts';
import { type MeasuredImage, measureImage } from '../image/header.ts';
import type { DecodeLimits, DecodeWatch, RasterShape } from '../image/types.ts';
import type { Subject } from '../inference/image-queue.ts';
import type { WorkerMetrics } from '../metrics/catalogue.ts';
import { type Suspicion, toDecodeSuspect } from './suspicion.ts';
import type { CheckRequest } from './types.ts';

/** What opening and decoding need. */
export interface OpenOptions {
  readonly limits: DecodeLimits;
  readonly suspicion: Suspicion;
  readonly metrics: WorkerMetrics;
  /** Called when the decoding of an image hangs. */
  readonly onDecodeHang: (subject: Subject) => void;
}

/** An upload whose header was read. */
export interface OpenImage {
  readonly facts: MeasuredImage['facts'];
  readonly subject: Subject;
  /** Decodes it for a model; models of one input share the raster. @throws as `decodeMeasured` */
  readonly decode: (shape: RasterShape) => Promise<Decoded>;
  /** Lets the memory of the rasters be used again; not while anybody works on them. */
  readonly release: () => void;
}

interface Decoded {
  /** uint8 `[height, width, 3]` */
  readonly raster: Uint8Array;
  /** From asking to having it, the wait for its turn included. */
  readonly decodeMs: number;
}

/** Reads the header of an upload. @throws as `measureImage` */
export async function openImage(
  options: OpenOptions,
  bytes: Uint8Array,
  imageHash: string,
  request: CheckRequest,
): Promise<OpenImage> {
  const measured = await measureNoted(options, bytes, imageHash);
  const { facts } = measured;
  const subject = { requestId: request.requestId, imageHash, ...facts };
  const watch = toDecodeWatch(options, request, subject);
  const rasters = new Map<string, Promise<Decoded>>();
  const made: Uint8Array[] = [];
  const decode = async (shape: RasterShape): Promise<Decoded> => {
    const startedAt = performance.now();
    const raster = await decodeMeasured(measured, shape, options.limits, watch);
    const decodeMs = performance.now() - startedAt;
    made.push(raster);
    options.metrics.stepDuration.observe({ step: 'decode' }, decodeMs / 1000);
    options.suspicion.noteHarmless(toDecodeSuspect(imageHash));
    return { raster, decodeMs };
  };
  return {
    facts,
    subject,
    decode: (shape) => {
      const key = `${String(shape.width)}x${String(shape.height)} ${shape.resize}`;
      const decoding = rasters.get(key) ?? decode(shape);
      rasters.set(key, decoding);
      return decoding;
    },
    release: () => {
      for (const raster of made.splice(0)) giveBytes(raster);
    },
  };
}

/** Native code reads the header, too. */
async function measureNoted(
  { suspicion, limits }: OpenOptions,
  bytes: Uint8Array,
  imageHash: string,
): Promise<MeasuredImage> {
  const leave = suspicion.enter([toDecodeSuspect(imageHash)]);
  try {
    return await measureImage(bytes, limits);
  } finally {
    leave();
  }
}

function toDecodeWatch(
  { suspicion, onDecodeHang }: OpenOptions,
  { deadlineAt, signal }: CheckRequest,
  subject: Subject,
): DecodeWatch {
  return {
    deadlineAt,
    signal,
    enter: () => suspicion.enter([toDecodeSuspect(subject.imageHash)]),
    onHung: () => {
      onDecodeHang(subject);
    },
  };
}
