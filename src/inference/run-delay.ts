import { createThreadMeter } from '../thread-times.ts';
import { threadPriority } from './thread-priority.ts';

/**
 * Creates a meter of the time that all TensorFlow threads together were runnable but had no CPU since its last call. They are
 * recognised by their nice value, which they inherit from the model thread.
 */
export function createRunDelayMeter(): () => number {
  const takeSpans = createThreadMeter((nice) => nice === threadPriority);
  return () => takeSpans().reduce((sum, { delayMs }) => sum + delayMs, 0);
}
