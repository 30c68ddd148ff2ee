import { readdirSync, readFileSync } from 'node:fs';
import { threadPriority } from './thread-priority.ts';

const tasks = '/proc/self/task';

/**
 * Time that the threads of TensorFlow were ready to run and had no CPU, in milliseconds since they began; 0 where the
 * kernel does not tell. They are known by the priority that the model thread gives itself and hands down.
 */
export function readRunDelayMs(): number {
  try {
    return readdirSync(tasks).reduce((sum, task) => sum + readThreadDelayMs(`${tasks}/${task}`), 0);
  } catch {
    return 0;
  }
}

function readThreadDelayMs(task: string): number {
  try {
    // The name in parentheses may hold spaces; the nice value is the 17th field after it (proc_pid_stat(5)).
    const fields = readFileSync(`${task}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    if (Number(fields[16]) !== threadPriority) return 0;
    const [, delayNs] = readFileSync(`${task}/schedstat`, 'utf8').split(' ');
    return Number(delayNs) / 1e6;
  } catch {
    // The thread has ended.
    return 0;
  }
}
