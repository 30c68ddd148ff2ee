import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessMemory } from '../../process-tree.ts';
import { sizeNames } from '../pictures.ts';
import { type Server, waitForCalm } from '../server.ts';
import { measureSlice, type Stage, toSizeLoad } from '../stage.ts';

/** Memory of a process tree at one moment. */
export interface TreeMemory {
  readonly pssBytes: number;
  readonly privateBytes: number;
  /** Of the worker that has the most. */
  readonly workerPrivateBytes: number;
}

/** Memory after the first verdicts, and the most of a load. */
export interface MemoryFigure {
  readonly idle: TreeMemory;
  readonly loaded: TreeMemory;
}

const sampleMs = 250;
const connections = 32;

/**
 * Reads what a server holds while no other server runs: what two of them map would count half for each.
 */
export async function measureMemory(stage: Stage, server: Server): Promise<MemoryFigure> {
  await waitForCalm(server);
  const idle = toTreeMemory(server.group.readMemory());
  const samples: TreeMemory[] = [];
  const loading = loadWithAllSizes(stage, server);
  const sampling = new AbortController();
  void loading
    .finally(() => {
      sampling.abort();
    })
    .catch(() => undefined);
  while (!sampling.signal.aborted) {
    samples.push(toTreeMemory(server.group.readMemory()));
    await delay(sampleMs);
  }
  await loading;
  return { idle, loaded: toPeak(samples) };
}

/** Adds up a tree; its workers are the processes that have the most of their own. */
export function toTreeMemory(processes: readonly ProcessMemory[]): TreeMemory {
  const sum = (of: 'pssBytes' | 'privateBytes'): number => processes.reduce((total, each) => total + each[of], 0);
  return {
    pssBytes: sum('pssBytes'),
    privateBytes: sum('privateBytes'),
    workerPrivateBytes: Math.max(0, ...processes.map(({ privateBytes }) => privateBytes)),
  };
}

function toPeak(samples: readonly TreeMemory[]): TreeMemory {
  const find = (of: keyof TreeMemory): number => Math.max(0, ...samples.map((sample) => sample[of]));
  return {
    pssBytes: find('pssBytes'),
    privateBytes: find('privateBytes'),
    workerPrivateBytes: find('workerPrivateBytes'),
  };
}

async function loadWithAllSizes(stage: Stage, server: Server): Promise<void> {
  const uploads = (contender: Server['contender']) =>
    sizeNames.flatMap((size) => toSizeLoad(stage, size).uploads(contender));
  await measureSlice(stage, server, { name: 'all', uploads, connections, seconds: stage.plan.memorySeconds });
}
