/** Enough for the pictures of the usual size that are decoded or wait at a time. */
const maxFree = 16;
const maxFreeBytes = 16e6;

const free: Uint8Array<ArrayBuffer>[] = [];
let freeBytes = 0;

/**
 * Takes memory with undefined content. Fresh memory for every picture costs page faults and frequent full garbage
 * collections: a fifth of the CPU time of an upload.
 */
export function takeBytes(length: number): Uint8Array<ArrayBuffer> {
  const index = free.findLastIndex((bytes) => bytes.length === length);
  const [bytes] = index < 0 ? [] : free.splice(index, 1);
  if (bytes === undefined) return new Uint8Array(length);
  freeBytes -= length;
  return bytes;
}

/** Returns memory that is no longer read or written, whether it was taken from the pool or not. */
export function giveBytes(bytes: Uint8Array): void {
  const { buffer, length } = bytes;
  // A part of something larger may be in use elsewhere. Memory that was transferred has no length any more.
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength !== length || length === 0 || length > maxFreeBytes) return;
  // Given twice, two pictures would share it.
  if (free.some((other) => other.buffer === buffer)) return;
  free.push(new Uint8Array(buffer));
  freeBytes += length;
  while (free.length > maxFree || freeBytes > maxFreeBytes) freeBytes -= free.shift()?.length ?? 0;
}
