import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { toNativeEnvironment } from '../../../src/config/native-environment.ts';
import type { BenchModel } from '../../peers/contender.ts';
import type { LimitCost, LimitOrder } from '../../peers/limit.ts';
import type { SizeName } from '../pictures.ts';
import { type Stage, workerCount } from '../stage.ts';

/** Decode and inference without HTTP: by one process alone, and by as many at once as there are workers. */
export interface LimitFigure {
  readonly aloneCpuMs: number;
  readonly aloneWallMs: number;
  readonly togetherCpuMs: number;
  readonly togetherWallMs: number;
  readonly peakPrivateBytes: number;
}

/** Processes that judge pictures when they are asked to. */
export interface Limit {
  readonly measure: (model: BenchModel, size: SizeName) => Promise<LimitFigure>;
  readonly stop: () => void;
}

const script = path.join(import.meta.dirname, '..', '..', 'peers', 'limit.ts');

/** Starts the processes, with the environment of a worker. */
export function startLimit({ plan, pictures }: Stage): Limit {
  const children = Array.from({ length: workerCount }, startChild);
  const stop = (): void => {
    for (const child of children) child.kill('SIGKILL');
  };
  process.once('exit', stop);
  const measure = async (model: BenchModel, size: SizeName): Promise<LimitFigure> => {
    const files = pictures.files[size];
    const order: LimitOrder = { files, model, rounds: Math.max(1, Math.round(plan.limitImages / files.length)) };
    const [alone] = await Promise.all(children.slice(0, 1).map((child) => ask(child, order)));
    if (alone === undefined) throw new Error('there is no process to measure the limit');
    const together = await Promise.all(children.map((child) => ask(child, order)));
    const average = (of: 'cpuMs' | 'wallMs'): number =>
      together.reduce((sum, cost) => sum + cost[of], 0) / together.length;
    return {
      aloneCpuMs: alone.cpuMs,
      aloneWallMs: alone.wallMs,
      togetherCpuMs: average('cpuMs'),
      togetherWallMs: average('wallMs'),
      peakPrivateBytes: Math.max(...together.map(({ peakPrivateBytes }) => peakPrivateBytes)),
    };
  };
  return { measure, stop };
}

function startChild(): ChildProcess {
  return fork(script, {
    env: { ...process.env, ...toNativeEnvironment(process.env) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

async function ask(child: ChildProcess, order: LimitOrder): Promise<LimitCost> {
  const ended = new AbortController();
  const { signal } = ended;
  try {
    child.send(order);
    const [answer] = (await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(([code]) => [code as number | null]),
    ])) as [LimitCost | number | null];
    if (answer === null || typeof answer === 'number') throw new Error(`the limit ended with ${String(answer)}`);
    return answer;
  } finally {
    ended.abort();
  }
}
