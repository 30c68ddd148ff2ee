import type { Config } from '../../config/schema.ts';
import { readMemoryLimit } from '../../config/worker-plan.ts';
import { exitCodes } from '../../errors.ts';
import type { RestartReason } from '../../metrics/primary-metrics.ts';
import type { RestartPolicy } from './restart-policy.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** The end of a slot's worker. */
interface Death {
  readonly reason: RestartReason;
  readonly text: string;
  /** What the primary ends with when no worker can start. */
  readonly exitCode: number | undefined;
}

/** A planned change of a slot's worker: the next one listens before the old one drains. */
interface Replacement {
  readonly worker: WorkerHandle;
  readonly reason: RestartReason;
  /** Whether the next worker has taken over; the old one may still drain. */
  isPromoted: boolean;
  /** Why the next worker was refused. */
  failure: string | undefined;
  /** Called once when the change is complete, or with why it failed. */
  readonly onSettled: ((failure: string | undefined) => void)[];
}

/** A place for a worker: its index is stable over respawns. */
export interface Slot {
  readonly index: number;
  readonly policy: RestartPolicy;
  /** What the next worker starts with. */
  config: Config;
  /**
   * Versions that the slot serves by their bare names. Only a rolling restart takes up others: a worker that replaces a
   * dead one must not bring what no roll-out has tried.
   */
  versions: Readonly<Record<string, string>>;
  /** The worker of the slot; undefined between a death and the respawn. */
  current: WorkerHandle | undefined;
  replacement: Replacement | undefined;
  /** Former workers that finish what they have in flight. */
  readonly draining: Set<WorkerHandle>;
  /** When to fork again; undefined while there is nothing to fork. */
  respawnAt: number | undefined;
  /** Given up after a crash loop. */
  isDown: boolean;
  /** Workers forked after the first one. */
  restarts: number;
  /** How the last worker ended; undefined again once the next one listens. */
  death: Death | undefined;
}

/** Resolves when a change is complete or has failed. */
export async function waitForEnd({ onSettled }: Replacement): Promise<void> {
  await new Promise((resolve) => onSettled.push(resolve));
}

/** Creates an empty slot. */
export function createSlot(index: number, config: Config, policy: RestartPolicy): Slot {
  return {
    index,
    policy,
    config,
    versions: {},
    current: undefined,
    replacement: undefined,
    draining: new Set(),
    respawnAt: undefined,
    isDown: false,
    restarts: 0,
    death: undefined,
  };
}

/** Lists the living workers of the slots: current ones, candidates, those that drain. */
export function listWorkers(slots: readonly Slot[]): WorkerHandle[] {
  const workers = slots.flatMap(({ current, replacement, draining }) => [current, replacement?.worker, ...draining]);
  return [...new Set(workers)].filter((worker) => worker !== undefined);
}

/** Says why a worker died. */
export function toDeath({ cause, killReason, unable, ending }: WorkerHandle): Death {
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

/**
 * Says how the primary ends: when all slots are down, or when no slot's last worker was able to start.
 * @returns undefined while there is a slot that may serve.
 */
export function toEnd(slots: readonly Slot[]): { exitCode: number; text: string } | undefined {
  const deaths = slots.map(({ death }) => death).filter((death) => death !== undefined);
  if (deaths.length < slots.length || slots.some(({ replacement }) => replacement !== undefined)) return undefined;
  const exitCode = deaths.find((death) => death.exitCode !== undefined)?.exitCode;
  const text = [...new Set(deaths.map((death) => death.text))].join('; ');
  if (exitCode !== undefined && deaths.every((death) => death.exitCode !== undefined)) return { exitCode, text };
  const areDown = slots.every(({ isDown }) => isDown);
  return areDown ? { exitCode: exitCodes.allSlotsDown, text: `all slots are down: ${text}` } : undefined;
}
