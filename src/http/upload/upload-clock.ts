import { ServiceError } from '../../errors.ts';

/** How slow an upload may be. */
export interface UploadTimes {
  readonly idleTimeoutMs: number;
  readonly minBytesPerSecond: number;
  readonly timeoutMs: number;
}

/** Times one upload. */
export interface UploadClock {
  /** Notes bytes that have arrived; returns how many there are now. */
  readonly count: (bytes: number) => number;
  readonly stop: () => void;
}

/** Times an upload; `reject` gets ERR_UPLOAD_TIMEOUT when it pauses for too long or is too slow. */
export function startUploadClock(times: UploadTimes, reject: (reason: ServiceError) => void): UploadClock {
  const startedAt = performance.now();
  let bytes = 0;
  let hasStopped = false;
  const refuse = (detail: string) => {
    if (!hasStopped) reject(new ServiceError('ERR_UPLOAD_TIMEOUT', detail));
  };
  const idle = setTimeout(() => {
    const bytesBefore = bytes;
    afterReading(() => {
      if (bytes === bytesBefore) refuse(`no byte arrived for ${String(times.idleTimeoutMs)} ms`);
    });
  }, times.idleTimeoutMs);
  const judgePace = () => {
    const remainingMs = startedAt + toAllowedMs(bytes, times) - performance.now();
    if (remainingMs <= 0) refuse(toTooSlow(bytes, times));
    else if (!hasStopped) pace = setTimeout(afterReading, Math.ceil(remainingMs), judgePace);
  };
  let pace = setTimeout(afterReading, toAllowedMs(0, times), judgePace);
  return {
    count(received) {
      idle.refresh();
      return (bytes += received);
    },
    stop() {
      hasStopped = true;
      clearTimeout(idle);
      clearTimeout(pace);
    },
  };
}

/** How long an upload may have taken when `bytes` have arrived: the rate counts after a grace period. */
function toAllowedMs(bytes: number, { idleTimeoutMs, minBytesPerSecond, timeoutMs }: UploadTimes): number {
  if (minBytesPerSecond === 0) return timeoutMs;
  return Math.min(timeoutMs, idleTimeoutMs + (1000 * bytes) / minBytesPerSecond);
}

function toTooSlow(bytes: number, times: UploadTimes): string {
  if (toAllowedMs(bytes, times) === times.timeoutMs) {
    return `the upload was not complete after ${String(times.timeoutMs)} ms`;
  }
  return `fewer than ${String(times.minBytesPerSecond)} bytes a second arrived`;
}

/** In a worker that was busy, due timers run before the bytes that arrived meanwhile are read. */
function afterReading(judge: () => void): void {
  setImmediate(judge);
}
