/** Gathers a file that arrives in pieces. */
export interface ByteCollector {
  readonly append: (piece: Uint8Array) => void;
  /** The bytes so far; the collector's memory, not a copy. */
  readonly toBytes: () => Buffer;
}

/** Bytes reserved per byte that has arrived, at most. */
const maxGrowth = 8;

/**
 * Creates a collector that copies every piece into one growing block: a body of one-byte chunks, kept as a list of
 * buffers, would hold some 300 times what it was admitted for. An announced length
 * reserves nothing: the block grows with what arrives, at most to `expectedBytes` while no more comes.
 */
export function createByteCollector(expectedBytes: number): ByteCollector {
  let block = Buffer.alloc(0);
  let length = 0;
  return {
    append(piece) {
      const needed = length + piece.length;
      if (needed > block.length) {
        const size = needed > expectedBytes ? needed * 2 : Math.min(expectedBytes, needed * maxGrowth);
        const larger = Buffer.allocUnsafeSlow(size);
        block.copy(larger, 0, 0, length);
        block = larger;
      }
      block.set(piece, length);
      length = needed;
    },
    toBytes: () => block.subarray(0, length),
  };
}
