import { startPatience } from './patience.ts';

/** Samples in the second half of a limit. */
const steps = 8;

/** Creates what returns the time that the watched threads waited for a CPU, in milliseconds since its last call. */
export type DelayMeterFactory = () => () => number;

/**
 * Calls `onOver` when native work does not come back in its time. In the second half of it only time counts in which the
 * work could go on: not while the process was stopped, nor while its threads waited for a CPU beside busy programs.
 * @returns ends the watch, and returns the time that counted
 */
export function startRunWatch(limitMs: number, createMeter: DelayMeterFactory, onOver: () => void): () => number {
  const halfMs = limitMs / 2;
  const startedAt = performance.now();
  let toCountedMs = (): number => Math.min(halfMs, performance.now() - startedAt);
  let stop = startPatience(halfMs, () => {
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

/** Counts the time in which threads could run, in steps. */
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
