import { setTimeout as delay } from 'node:timers/promises';
import { type Latencies, probeLatency } from '../../latency-probe.ts';
import type { SizeName } from '../pictures.ts';
import type { Server } from '../server.ts';
import { measureSlice, type Stage, toSizeLoad } from '../stage.ts';

/** How long a worker's HTTP thread keeps others waiting: /livez on the public port, on kept connections. */
export interface EventLoopFigure {
  readonly idle: Latencies;
  readonly busy: readonly { readonly size: SizeName; readonly livez: Latencies; readonly lagP99Ms: number }[];
}

const perSecond = 40;
const connections = 32;
/** The load begins before the probing and ends after it. */
const marginSeconds = 1;

/** Probes while nothing happens, and while uploads of the smallest and of the largest size keep all workers busy. */
export async function measureEventLoop(stage: Stage, server: Server): Promise<EventLoopFigure> {
  const { probeSeconds: seconds } = stage.plan;
  const probe = (): Promise<Latencies> => {
    const url = new URL('/livez', server.url).href;
    return probeLatency({ url, seconds, perSecond, connections: server.workers });
  };
  const idle = await probe();
  const busy: { size: SizeName; livez: Latencies; lagP99Ms: number }[] = [];
  for (const size of ['640×480', '12 MP'] as const) {
    const load = { ...toSizeLoad(stage, size), connections, seconds: seconds + 2 * marginSeconds };
    const loading = measureSlice(stage, server, load);
    // It is awaited below; till then a failure of it must not end the process.
    loading.catch(() => undefined);
    await delay(marginSeconds * 1000);
    const livez = await probe();
    busy.push({ size, livez, lagP99Ms: await readLag(server) });
    await loading;
  }
  return { idle, busy };
}

/** The worst worker's event-loop delay, 99 %, as /metrics tells it; NaN where it does not. */
async function readLag({ opsUrl }: Server): Promise<number> {
  const text = await (await fetch(`${opsUrl}/metrics`)).text();
  return toLagP99Ms(text);
}

/** Finds the event-loop delay of the workers in an exposition. */
export function toLagP99Ms(exposition: string): number {
  const lags = [...exposition.matchAll(/^nodejs_eventloop_lag_p99_seconds\{worker="\d+"\} (\S+)$/gm)];
  return lags.length === 0 ? NaN : Math.max(...lags.map(([, seconds]) => Number(seconds) * 1000));
}
