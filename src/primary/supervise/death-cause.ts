import { readFileSync } from 'node:fs';
import type { RestartReason } from '../../metrics/primary-metrics.ts';

/** Why a worker died: a crash, a hang (no heartbeat), the kernel's OOM killer, or another signal from outside. */
export type DeathCause = 'crash' | 'hang' | 'oom' | 'killed';

/** How a worker ended, as the primary saw it. */
interface WorkerEnd {
  /** Undefined if it ended with an exit code, which no worker does by itself. */
  readonly signal: string | undefined;
  readonly isKilled: boolean;
  readonly killReason: RestartReason | undefined;
  /** Whether it was stopped, as by SIGSTOP, when it was killed for its missing heartbeat. */
  readonly wasStopped: boolean;
  /** Claims a kill of the kernel's OOM killer; called after a SIGKILL only. */
  readonly claimOomKill: () => boolean;
}

/** Signals that a process raises by its own fault. */
const faultSignals = new Set(['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP', 'SIGSYS']);

/** Returns why a worker died; only a crash or a hang counts against the images in flight. */
export function toDeathCause({ signal, isKilled, killReason, wasStopped, claimOomKill }: WorkerEnd): DeathCause {
  if (isKilled) return killReason === 'heartbeat' && !wasStopped ? 'hang' : 'killed';
  if (signal === 'SIGKILL') return claimOomKill() ? 'oom' : 'killed';
  return signal === undefined || faultSignals.has(signal) ? 'crash' : 'killed';
}

/** Whether a process is stopped; false if the kernel does not tell. */
export function isStopped(pid: number): boolean {
  try {
    // The name in parentheses may hold spaces (proc_pid_stat(5)).
    const [state] =
      readFileSync(`/proc/${String(pid)}/stat`, 'latin1')
        .split(') ')
        .at(-1)
        ?.split(' ') ?? [];
    return state === 'T' || state === 't';
  } catch {
    return false;
  }
}
