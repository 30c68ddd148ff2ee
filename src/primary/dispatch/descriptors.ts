import { readFileSync } from 'node:fs';

/** Descriptors that a process needs besides its connections: channels, models and their threads, the ops port, the next fork. */
const reserved = 128;
const minConnections = 16;

/** Reads how many files a process of this tree may open (`ulimit -n`); Infinity if the system does not tell. */
export function readDescriptorLimit(): number {
  try {
    // Node raises its soft limit to the hard one as it starts; workers do the same.
    const limit = Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
    return Number.isNaN(limit) ? Infinity : limit;
  } catch {
    return Infinity;
  }
}

/** Converts a limit of open files to the connections that one process can hold. */
export function toMaxHeld(descriptorLimit: number): number {
  return Math.max(minConnections, descriptorLimit - reserved);
}
