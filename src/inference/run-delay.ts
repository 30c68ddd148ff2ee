import { createThreadMeter } from '../thread-times.ts';
import { threadPriority } from './thread-priority.ts';

/**
 * Creates a meter of the time that all threads of TensorFlow together were ready to run and had no CPU, since its last
 * call. They are known by the priority that the model thread gives itself and hands down.
 */
export function createRunDelayMeter(): () => number {
  const takeSpans = createThreadMeter((nice) => nice === threadPriority);
  return () => takeSpans().reduce((sum, { delayMs }) => sum + delayMs, 0);
}
