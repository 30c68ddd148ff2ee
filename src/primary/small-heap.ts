import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the heap of this process small from now on. A primary that handed over 1500 connections a second held 110 MB of
 * memory and 11 MB of live objects; so it holds 73 MB, for one collection of 20 ms every 2 s. The young generation
 * never shrinks, so the earlier this is called, the better.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=20');
}
