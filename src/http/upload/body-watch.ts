import { ServiceError } from '../../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { Permit } from './byte-budget.ts';
import { startUploadClock, type UploadTimes } from './upload-clock.ts';
import { toTooLarge } from './upload-plan.ts';

/** Bounds of one request body. */
export interface BodyLimits extends UploadTimes {
  readonly maxBodyBytes: number;
  /** Charged with what arrives, and settled when the body is whole. */
  readonly permit: Permit;
}

/** A body on its way. */
export interface BodyWatch {
  /** Resolves with the body's last byte; rejects with a {@link ServiceError} where it breaks off or a limit. */
  readonly whole: Promise<void>;
  stop(): void;
}

/** Starts to count and time a body; consumers of its bytes listen to the request themselves. */
export function startBodyWatch({ request, cutOff }: Exchange, limits: BodyLimits): BodyWatch {
  const { promise: whole, resolve, reject } = createDeferred();
  const { permit } = limits;
  const clock = startUploadClock(limits, reject);
  permit.start(reject);
  const count = (chunk: Buffer) => {
    if (clock.count(chunk.length) > limits.maxBodyBytes) {
      reject(toTooLarge('the body has more bytes', limits.maxBodyBytes));
    }
    permit.charge(chunk.length);
  };
  const breakOff = () => {
    reject(new ServiceError('ERR_UPLOAD_MALFORMED', 'the body ended prematurely'));
  };
  const breakOffUnlessWhole = () => {
    // What broke the connection came after this body, whose last bytes wait to be read.
    if (!request.complete) breakOff();
  };
  const end = () => {
    // It closes before anybody hears of its end, and an error costs the stack that it keeps.
    request.off('close', breakOff);
    permit.settle();
    resolve();
  };
  request.on('data', count).on('end', end).on('error', breakOff).on('close', breakOff);
  cutOff.signal.addEventListener('abort', breakOffUnlessWhole);
  return {
    whole,
    stop() {
      clock.stop();
      // The listener of 'error' stays: without one, a client that leaves later would be an uncaught error.
      request.off('data', count).off('end', end).off('close', breakOff);
      cutOff.signal.removeEventListener('abort', breakOffUnlessWhole);
    },
  };
}

function createDeferred(): { promise: Promise<void>; resolve: () => void; reject: (reason: Error) => void } {
  let resolve = () => {};
  let reject: (reason: Error) => void = () => {};
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
