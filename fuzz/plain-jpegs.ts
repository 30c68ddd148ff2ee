import sharp from 'sharp';
import type { Coordinates, Kernel, RasterShape, ResizeMode } from '../src/image/types.ts';
import { createRandom, drawLogBetween, type Random } from '../src/train/samples/random.ts';
import { makePhoto } from '../test/fixtures/pictures.ts';
import { listChunks } from './chunks.ts';
import { drawIndex, mutate, pick } from './mutator.ts';

/** A JPEG, and the raster that is made of it. */
export interface AddonInput {
  readonly name: string;
  readonly bytes: Buffer;
  readonly shape: RasterShape;
}

const modes: readonly ResizeMode[] = ['cover', 'contain', 'stretch', 'long-side'];
const kernels: readonly Kernel[] = ['lanczos', 'bilinear', 'bicubic', 'nearest'];
const allCoordinates: readonly Coordinates[] = ['half-pixel', 'align-corners', 'asymmetric'];
const sizes = [
  [1, 1],
  [7, 300],
  [16, 16],
  [61, 43],
  [320, 240],
  [641, 479],
] as const;

/** Draws the kinds of JPEGs that the addon decodes: grey and colour, each subsampling, restart markers, orientations. */
export async function drawPlainSeeds(): Promise<readonly Buffer[]> {
  const seeds = sizes.map(async ([width, height]) => {
    const photo = sharp(await makePhoto(width, width, height));
    return Promise.all([
      photo.clone().jpeg({ chromaSubsampling: '4:2:0' }).toBuffer(),
      photo.clone().withMetadata({ orientation: 6 }).jpeg({ chromaSubsampling: '4:4:4' }).toBuffer(),
      photo.clone().greyscale().withMetadata({ orientation: 3 }).jpeg({ quality: 30 }).toBuffer(),
      photo.clone().withIccProfile('srgb').jpeg({ quality: 98, optimiseCoding: false }).toBuffer(),
    ]);
  });
  return (await Promise.all(seeds)).flat();
}

/** Makes one input: the same for the same seeds, run seed and number. */
export function makeAddonInput(seeds: readonly Buffer[], runSeed: number, number: number): AddonInput {
  const random = createRandom(runSeed, number);
  const source = { random, format: 'jpeg', donor: pick(random, seeds) } as const;
  let bytes = pick(random, seeds);
  for (let left = 1 + drawIndex(random, 3); left > 0; left -= 1) bytes = pick(random, mutations)(bytes, random);
  // Most JPEGs with arbitrary mutations are no longer plain.
  if (random() < 0.1) bytes = mutate(bytes, source);
  const shape = drawShape(bytes, random);
  const { width, height, resize, kernel, coordinates } = shape;
  const about = [`${String(width)}x${String(height)}-${resize}`, kernel, coordinates].join('_');
  return { name: `addon-seed${String(runSeed)}-${String(number)}-${about}.jpeg`, bytes, shape };
}

/** Reads the raster that the name of a saved input tells. */
export function readShape(name: string): RasterShape | undefined {
  const [, width, height, ...words] = /^addon-.*-(\d+)x(\d+)-([a-z-]+)_([a-z]+)_([a-z-]+)\.jpeg$/.exec(name) ?? [];
  const resize = modes.find((known) => known === words[0]);
  const kernel = kernels.find((known) => known === words[1]);
  const coordinates = allCoordinates.find((known) => known === words[2]);
  return (
    resize && kernel && coordinates && { width: Number(width), height: Number(height), resize, kernel, coordinates }
  );
}

const mutations: readonly ((bytes: Buffer, random: Random) => Buffer)[] = [
  garbleScan,
  garbleScan,
  setSize,
  setSampling,
  setTable,
  setOrientation,
  (bytes) => bytes,
];

/** Entropy-coded bytes; no new marker, so that the header stays what it is. */
function garbleScan(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  const start = listChunks(copy, 'jpeg').at(-1)?.end ?? 0;
  for (let left = 1 + drawIndex(random, 12); left > 0 && start < copy.length - 2; left -= 1) {
    copy[start + drawIndex(random, copy.length - 2 - start)] = drawIndex(random, 255);
  }
  return copy;
}

/** Finds the body of the first segment with the marker. */
function findSegment(bytes: Buffer, ...markers: readonly number[]): Buffer {
  const segment = listChunks(bytes, 'jpeg').find(({ start }) => markers.includes(bytes[start + 1] ?? 0));
  return segment === undefined ? Buffer.alloc(0) : bytes.subarray(segment.start + 4, segment.end);
}

function setSize(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  const frame = findSegment(copy, 0xc0, 0xc1);
  const largest = random() < 0.02 ? 65_535 : 2000;
  for (const at of [1, 3]) {
    if (frame.length > 5 && random() < 0.7) frame.writeUInt16BE(Math.floor(drawLogBetween(random, 1, largest)), at);
  }
  return copy;
}

function setSampling(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  const frame = findSegment(copy, 0xc0, 0xc1);
  const component = drawIndex(random, frame[5] ?? 0);
  const at = 6 + 3 * component + 1;
  if (at + 1 < frame.length) frame[at] = (1 + drawIndex(random, 4)) * 16 + 1 + drawIndex(random, 4);
  return copy;
}

/** One byte of the tables: quantisation, Huffman, scan. */
function setTable(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  const table = findSegment(copy, pick(random, [0xdb, 0xc4, 0xda]));
  if (table.length > 0) table[drawIndex(random, table.length)] = drawIndex(random, 256);
  return copy;
}

function setOrientation(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  const exif = findSegment(copy, 0xe1);
  // Tag 0x112, of type SHORT, one value; libvips writes little-endian.
  const entry = exif.indexOf(Buffer.from('120103000100000000'.slice(0, 16), 'hex'));
  if (entry >= 0) exif[entry + 8] = 1 + drawIndex(random, 8);
  return copy;
}

/** Mostly up to twenty times smaller than the picture: the addon enlarges nothing. */
function drawShape(bytes: Buffer, random: Random): RasterShape {
  const frame = findSegment(bytes, 0xc0, 0xc1);
  const [height, width] = frame.length > 5 ? [frame.readUInt16BE(1), frame.readUInt16BE(3)] : [64, 64];
  const shrink = (side: number): number =>
    Math.min(1000, Math.max(1, Math.floor(side / drawLogBetween(random, 1, 20))));
  const isTurned = random() < 0.3;
  const [first, second] = [shrink(width), shrink(height)];
  const how = {
    resize: pick(random, modes),
    kernel: pick(random, kernels),
    coordinates: pick(random, allCoordinates),
  };
  return isTurned ? { width: second, height: first, ...how } : { width: first, height: second, ...how };
}
