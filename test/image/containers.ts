/** Files of many parts and hardly any pixels, for tests of the header pass. */

const gifScreen = Buffer.from('474946383961' + '02000200' + '800000' + '000000ffffff', 'hex');
const gifFrame = Buffer.from('2c' + '00000000' + '02000200' + '00' + '02' + '028453' + '00', 'hex');

/** A GIF of 2 × 2 pixels with as many frames. */
export function makeGif(frames: number): Buffer {
  return Buffer.concat([gifScreen, ...Array.from({ length: frames }, () => gifFrame), Buffer.of(0x3b)]);
}

/** A chunk of a WebP. */
export function toRiffChunk(name: string, data: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.write(name, 0, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length & 1)]);
}

export function toRiff(chunks: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat([Buffer.from('WEBP', 'latin1'), ...chunks]);
  const head = Buffer.from('RIFF\0\0\0\0', 'latin1');
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body]);
}

/** An animated WebP of 1 × 1 pixels; `still` is a lossless one of that size. */
export function makeAnimatedWebp(still: Buffer, frames: number): Buffer {
  const pixels = still.subarray(12);
  const extended = toRiffChunk('VP8X', Buffer.from('02000000000000000000', 'hex'));
  const animation = toRiffChunk('ANIM', Buffer.alloc(6));
  const frame = toRiffChunk('ANMF', Buffer.concat([Buffer.from('00000000000000000000000064000000', 'hex'), pixels]));
  return toRiff([extended, animation, ...Array.from({ length: frames }, () => frame)]);
}

export interface TiffEntry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** As it stands in the entry. */
  readonly value: number;
}

const short = 3;

/** Entries of a picture of 1 × 1 grey pixels; its strip is the first byte of the file. */
export const tinyPage: readonly TiffEntry[] = [
  [256, 1],
  [257, 1],
  [258, 8],
  [259, 1],
  [262, 1],
  [273, 0],
  [277, 1],
  [278, 1],
  [279, 1],
].map(([tag = 0, value = 0]) => ({ tag, type: short, count: 1, value }));

/** A directory in little-endian order; `next` is the offset of the one that follows. */
export function toDirectory(entries: readonly TiffEntry[], next: number, isBig = false): Buffer {
  const [head, size] = isBig ? [8, 20] : [2, 12];
  const bytes = Buffer.alloc(head + entries.length * size + (isBig ? 8 : 4));
  bytes.writeUInt16LE(entries.length, 0);
  entries.forEach(({ tag, type, count, value }, index) => {
    const at = head + index * size;
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(type, at + 2);
    bytes.writeUInt32LE(count, at + 4);
    bytes.writeUInt32LE(value, at + (isBig ? 12 : 8));
  });
  bytes.writeUInt32LE(next, head + entries.length * size);
  return bytes;
}

/** A TIFF of `count` pages of one pixel; the last one points at `lastNext`. */
export function makeTiff(count: number, { entries = tinyPage, lastNext = 0, isBig = false } = {}): Buffer {
  const head = Buffer.alloc(isBig ? 16 : 8);
  head.write(isBig ? 'II+\0\x08\0\0\0' : 'II*\0', 'latin1');
  head.writeUInt32LE(head.length, isBig ? 8 : 4);
  const { length } = toDirectory(entries, 0, isBig);
  const directories = Array.from({ length: count }, (_, index) =>
    toDirectory(entries, index === count - 1 ? lastNext : head.length + (index + 1) * length, isBig),
  );
  return Buffer.concat([head, ...directories]);
}

/** A box of an ISO base media file. */
export function toBox(type: string, ...content: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat([Buffer.from(`\0\0\0\0${type}`, 'latin1'), ...content]);
  bytes.writeUInt32BE(bytes.length, 0);
  return bytes;
}

/** A box with a version and no flags. */
export function toFullBox(type: string, version: number, ...content: readonly Uint8Array[]): Buffer {
  return toBox(type, Buffer.of(version, 0, 0, 0), ...content);
}

/** A marker segment of a JPEG. */
export function toSegment(marker: number, body: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.of(0xff, marker, 0, 0);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([head, body]);
}
