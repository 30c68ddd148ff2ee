import { startPauseTolerantTimeout } from './pause-tolerant-timeout.ts';

/** Samples in the second half of a time limit. */
const steps = 8;

/** Creates a meter: each call returns how long the watched threads waited for a CPU since the last call, in milliseconds. */
export type DelayMeterFactory = () => () => number;

/**
 * Calls `onOver` when native work exceeds its time limit. In the second half of the limit only time counts in which the
 * work could run: not while the process was stopped, nor while its threads waited for a CPU.
 * @returns a function that stops the watchdog and returns the counted time, in milliseconds
 */
export function startWatchdog(limitMs: number, createMeter: DelayMeterFactory, onOver: () => void): () => number {
  const halfMs = limitMs / 2;
  const startedAt = performance.now();
  let toCountedMs = (): number => Math.min(halfMs, performance.now() - startedAt);
  let stop = startPauseTolerantTimeout(halfMs, () => {
    const clock = startRunClock(halfMs / steps, createMeter, (workedMs) => {
      if (workedMs < halfMs) return;
      stop();
      onOver();
    });
    toCountedMs = () => halfMs + clock.workedMs();
    stop = clock.stop;
  });
  return () => {
    stop();
    return toCountedMs();
  };
}

/** Samples the time in which threads could run. */
function startRunClock(
  stepMs: number,
  createMeter: DelayMeterFactory,
  onStep: (workedMs: number) => void,
): { workedMs: () => number; stop: () => void } {
  const takeDelayMs = createMeter();
  let workedMs = 0;
  let sampledAt = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    workedMs += Math.max(0, Math.min(now - sampledAt, 2 * stepMs) - takeDelayMs());
    sampledAt = now;
    onStep(workedMs);
  }, stepMs);
  return {
    workedMs: () => workedMs,
    stop: () => {
      clearInterval(timer);
    },
  };
}
