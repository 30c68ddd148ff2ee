import { readFileSync } from 'node:fs';
import { type ProcessMemory, toProcessMemory } from '../smaps-rollup.ts';

/** The kernel walks all pages for it: 4 ms of CPU with TensorFlow in memory, while other threads can map nothing. */
const measureEveryMs = 5000;

/**
 * Creates what tells the memory of this process, as it was measured lately. It reads synchronously: a heartbeat must not
 * wait for libuv's pool, which pictures may fill.
 */
export function createMemoryMeter(): () => ProcessMemory {
  let measuredAt = -Infinity;
  let measured: ProcessMemory = { rssBytes: 0, pssBytes: 0, privateBytes: 0 };
  return () => {
    const nowMs = performance.now();
    if (nowMs - measuredAt >= measureEveryMs) {
      measuredAt = nowMs;
      // Without a free descriptor nothing can be read: the last figures have to do.
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

/** Where the kernel doesn't tell shared from private pages, all count as private. */
function readRss(): ProcessMemory | undefined {
  try {
    const rssBytes = process.memoryUsage.rss();
    return { rssBytes, pssBytes: rssBytes, privateBytes: rssBytes };
  } catch {
    return undefined;
  }
}
