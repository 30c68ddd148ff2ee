import { readMemoryLimit } from '../../config/worker-plan.ts';
import type { RestartReason } from '../../metrics/primary-metrics.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** The end of a slot's worker. */
export interface Death {
  readonly reason: RestartReason;
  readonly text: string;
  /** Exit code of the primary when no worker can start. */
  readonly exitCode: number | undefined;
}

/** Describes the end of a worker. */
export function toDeath({
  cause,
  killReason,
  unable,
  ending,
}: Pick<WorkerHandle, 'cause' | 'killReason' | 'unable' | 'ending'>): Death {
  if (cause === 'oom') return { reason: 'oom', text: toOomText(readMemoryLimit()), exitCode: undefined };
  const reason = killReason ?? 'crash';
  const killed = reason === 'unreachable' ? reason : `${reason} timeout`;
  const text = unable?.reason ?? (killReason === undefined ? `crash: ${ending}` : killed);
  return { reason, text, exitCode: unable?.exitCode };
}

function toOomText(limit: number | undefined): string {
  const where = limit === undefined ? 'the machine' : `its memory limit of ${String(Math.round(limit / 1e6))} MB`;
  return `out of memory: killed by the kernel at ${where}`;
}
