import { giveBytes } from '../image/byte-pool.ts';
import { decodeMeasured } from '../image/decode.ts';
import { type MeasuredImage, measureImage } from '../image/header.ts';
import type { DecodeLimits, DecodeWatch, RasterShape } from '../image/types.ts';
import type { Subject } from '../inference/image-queue.ts';
import type { WorkerMetrics } from '../metrics/catalogue.ts';
import { type QuarantineClient, toDecodeSuspect } from './quarantine-client.ts';
import type { CheckRequest } from './types.ts';

/** Dependencies of opening and decoding images. */
export interface OpenOptions {
  readonly limits: DecodeLimits;
  readonly quarantine: QuarantineClient;
  readonly metrics: WorkerMetrics;
  /** Called when a decode timed out on an otherwise idle worker. */
  readonly onDecodeTimeout: (subject: Subject) => void;
  /** Called when a decode hangs; `isCounted` if its timeout was reported before. */
  readonly onDecodeHang: (subject: Subject, isCounted: boolean) => void;
}

/** An upload with its header read. */
export interface OpenImage {
  readonly facts: MeasuredImage['facts'];
  readonly isAnimated: boolean;
  readonly subject: Subject;
  /** Whether it is a plain JPEG. */
  readonly isPlain: boolean;
  /** Decodes it for a model; models with the same input share the raster. @throws as `decodeMeasured` */
  readonly decode: (shape: RasterShape) => Promise<Decoded>;
  /** Returns the memory of the rasters to the pool; call it only when they are no longer in use. */
  readonly release: () => void;
}

/** Known only after native code has read the header, which may hang, too. */
type SubjectFacts = Pick<Subject, 'format' | 'width' | 'height' | 'bytes'>;

interface Decoded {
  /** uint8 `[height, width, 3]` */
  readonly raster: Uint8Array;
  /** Duration including the wait in the decode queue. */
  readonly decodeMs: number;
}

/** Reads the header of an upload; header and decodes share one time budget. @throws as `measureImage` */
export async function openImage(
  options: OpenOptions,
  bytes: Uint8Array,
  imageHash: string,
  request: CheckRequest,
): Promise<OpenImage> {
  let known: SubjectFacts = { format: 'unread', width: 0, height: 0, bytes: bytes.length };
  const toSubject = (): Subject => ({ requestId: request.requestId, imageHash, ...known });
  const watch = toDecodeWatch(options, request, imageHash, toSubject);
  const measured = await measureImage(bytes, options.limits, watch);
  const { facts } = measured;
  known = facts;
  const subject = toSubject();
  const rasters = new Map<string, Promise<Decoded>>();
  const made: Uint8Array[] = [];
  const decode = async (shape: RasterShape): Promise<Decoded> => {
    const startedAt = performance.now();
    const raster = await decodeMeasured(measured, shape, options.limits, watch);
    const decodeMs = performance.now() - startedAt;
    made.push(raster);
    options.metrics.stepDuration.observe({ step: 'decode' }, decodeMs / 1000);
    options.quarantine.recordSuccess(toDecodeSuspect(imageHash));
    return { raster, decodeMs };
  };
  return {
    facts,
    isAnimated: measured.isAnimated,
    subject,
    isPlain: measured.plain !== undefined,
    decode: (shape) => {
      const { width, height, resize, kernel, coordinates, jpegDct } = shape;
      const key = [width, height, resize, kernel, coordinates, jpegDct].join(' ');
      const decoding = rasters.get(key) ?? decode(shape);
      rasters.set(key, decoding);
      return decoding;
    },
    release: () => {
      for (const raster of made.splice(0)) giveBytes(raster);
    },
  };
}

function toDecodeWatch(
  { limits, quarantine, onDecodeTimeout, onDecodeHang }: OpenOptions,
  { deadlineAt, signal }: CheckRequest,
  imageHash: string,
  toSubject: () => Subject,
): DecodeWatch {
  let isCounted = false;
  return {
    deadlineAt,
    signal,
    imageHash,
    budget: { leftMs: limits.decodeTimeoutMs },
    enter: () => quarantine.noteInFlight([toDecodeSuspect(imageHash)]),
    onTooSlow: () => {
      isCounted = true;
      onDecodeTimeout(toSubject());
    },
    onHung: () => {
      onDecodeHang(toSubject(), isCounted);
    },
  };
}
