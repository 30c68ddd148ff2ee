import { startPatience } from '../patience.ts';
import { readRunDelayMs } from './run-delay.ts';

/** The second half is looked at in so many steps. */
const steps = 8;

/**
 * Calls `onHang` when native work does not come back in its time. In the second half of it the time counts only in which
 * the work could have gone on: not while the whole process was stopped, nor while its threads waited for a CPU, as they
 * do for long beside busy programs.
 * @returns what ends the watch
 */
export function startHangWatch(limitMs: number, onHang: () => void): () => void {
  const halfMs = limitMs / 2;
  const stepMs = halfMs / steps;
  let stop = startPatience(halfMs, () => {
    let workedMs = 0;
    let lookedAt = performance.now();
    let delayMs = readRunDelayMs();
    const timer = setInterval(() => {
      const now = performance.now();
      const delayNowMs = readRunDelayMs();
      const elapsedMs = Math.min(now - lookedAt, 2 * stepMs);
      // A thread that has ended takes its delay away with it.
      workedMs += Math.max(0, elapsedMs - Math.max(0, delayNowMs - delayMs));
      lookedAt = now;
      delayMs = delayNowMs;
      if (workedMs < halfMs) return;
      clearInterval(timer);
      onHang();
    }, stepMs);
    stop = () => {
      clearInterval(timer);
    };
  });
  return () => {
    stop();
  };
}
