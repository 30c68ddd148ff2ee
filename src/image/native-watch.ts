import { createThreadMeter, type ThreadSpan } from '../thread-times.ts';
import { startWatchdog } from '../watchdog.ts';

interface NativeWatchOptions {
  /** The rest of the picture's budget. */
  readonly leftMs: number;
  /** `image.decodeTimeoutMs` */
  readonly limitMs: number;
  /** Called when the budget is used up. */
  readonly onLate: () => void;
  /** Called when the work has hung: only another process helps. */
  readonly onHung: () => void;
}

/** Samples of overdue work per limit. */
const stepsPerLimit = 4;
/** A thread that used less than this share of a CPU waits for something. */
const idleShare = 0.1;
/** Limits after its time at which work that uses no CPU is hung; without /proc all work counts as such. */
const idleLimits = 2;
/** Limits after its time at which any work is hung: libraries have read headers for two minutes and come back. */
const busyLimits = 24;

/**
 * Watches native work, which can't be interrupted: reports when its time is over, and again when it will not come back.
 * Time in which it waited for a CPU does not count.
 * @returns ends the watch, and returns the time that counted before it was late
 */
export function startNativeWatch({ leftMs, limitMs, onLate, onHung }: NativeWatchOptions): () => number {
  let stopHungWatch = (): void => undefined;
  const stopRunWatch = startWatchdog(leftMs, createDelayMeter, () => {
    stopHungWatch = startHungWatch(limitMs, onHung);
    onLate();
  });
  return () => {
    stopHungWatch();
    return stopRunWatch();
  };
}

function startHungWatch(limitMs: number, onHung: () => void): () => void {
  const stepMs = limitMs / stepsPerLimit;
  const takeSpan = createPoolMeter();
  let idleMs = 0;
  let workedMs = 0;
  let sampledAt = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    // A process that was stopped could not see the end of its work.
    const elapsedMs = Math.min(now - sampledAt, 2 * stepMs);
    sampledAt = now;
    const { cpuMs, delayMs } = takeSpan();
    workedMs += Math.max(0, elapsedMs - delayMs);
    idleMs = cpuMs + delayMs > idleShare * elapsedMs ? 0 : idleMs + elapsedMs;
    if (idleMs < idleLimits * limitMs && workedMs < busyLimits * limitMs) return;
    clearInterval(timer);
    onHung();
  }, stepMs);
  return () => {
    clearInterval(timer);
  };
}

function createDelayMeter(): () => number {
  const takeSpan = createPoolMeter();
  return () => takeSpan().delayMs;
}

/**
 * Creates a meter of the threads that decode: the most that any of them had since the last call, as nothing tells which
 * thread works on which picture. Threads of a model have a nice value of their own.
 */
function createPoolMeter(): () => ThreadSpan {
  const takeSpans = createThreadMeter((nice, mainNice) => nice === mainNice);
  return () => {
    const spans = takeSpans();
    return {
      cpuMs: Math.max(0, ...spans.map(({ cpuMs }) => cpuMs)),
      delayMs: Math.max(0, ...spans.map(({ delayMs }) => delayMs)),
    };
  };
}
