/** Gathers a file that arrives in pieces. */
export interface ByteCollector {
  readonly append: (piece: Uint8Array) => void;
  /** The bytes so far; the collector's memory, not a copy. */
  readonly toBytes: () => Buffer;
}

/**
 * Creates a collector that copies every piece into one growing block: a body of one-byte chunks, kept as a list of
 * buffers, would hold some 300 times what it was admitted for. Memory is touched only as far as it is filled.
 */
export function createByteCollector(expectedBytes: number): ByteCollector {
  let block = Buffer.allocUnsafeSlow(expectedBytes);
  let length = 0;
  return {
    append(piece) {
      const needed = length + piece.length;
      if (needed > block.length) {
        const larger = Buffer.allocUnsafeSlow(Math.max(needed, block.length * 2));
        block.copy(larger, 0, 0, length);
        block = larger;
      }
      block.set(piece, length);
      length = needed;
    },
    toBytes: () => block.subarray(0, length),
  };
}
