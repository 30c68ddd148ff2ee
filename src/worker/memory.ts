import { readFileSync } from 'node:fs';
import { type ProcessMemory, toProcessMemory } from '../smaps-rollup.ts';

/** The kernel walks all pages for it: 4 ms of CPU with TensorFlow in memory, during which no thread can map memory. */
const measureEveryMs = 5000;

/**
 * Creates a meter of this process's memory, measured every few seconds. It reads synchronously: a heartbeat must not wait
 * for libuv's pool, which decodes may fill.
 */
export function createMemoryMeter(): () => ProcessMemory {
  let measuredAt = -Infinity;
  let measured: ProcessMemory = { rssBytes: 0, pssBytes: 0, privateBytes: 0 };
  return () => {
    const nowMs = performance.now();
    if (nowMs - measuredAt >= measureEveryMs) {
      measuredAt = nowMs;
      // Without a free descriptor nothing can be read: the last figures remain.
      measured = readRollup() ?? readRss() ?? measured;
    }
    return measured;
  };
}

function readRollup(): ProcessMemory | undefined {
  try {
    return toProcessMemory(readFileSync('/proc/self/smaps_rollup', 'utf8'));
  } catch {
    return undefined;
  }
}

/** If the kernel doesn't tell shared from private pages, all count as private. */
function readRss(): ProcessMemory | undefined {
  try {
    const rssBytes = process.memoryUsage.rss();
    return { rssBytes, pssBytes: rssBytes, privateBytes: rssBytes };
  } catch {
    return undefined;
  }
}
