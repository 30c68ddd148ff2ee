/** A few pictures of the usual size are being made or wait at any time. */
const maxFree = 16;
const maxFreeBytes = 16e6;

const free: Uint8Array<ArrayBuffer>[] = [];
let freeBytes = 0;

/**
 * Takes memory whose content is left to chance. Fresh memory for every picture costs page faults, and has V8 collect all
 * of its heap again and again: a fifth of the CPU time of an upload.
 */
export function takeBytes(length: number): Uint8Array<ArrayBuffer> {
  const index = free.findLastIndex((bytes) => bytes.length === length);
  const [bytes] = index < 0 ? [] : free.splice(index, 1);
  if (bytes === undefined) return new Uint8Array(length);
  freeBytes -= length;
  return bytes;
}

/** Gives memory back that nobody reads or writes any more; what was taken elsewhere is welcome, too. */
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
