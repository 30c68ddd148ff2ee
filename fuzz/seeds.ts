import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { sniffFormat } from '../src/image/sniff.ts';
import { createRandom } from '../src/train/samples/random.ts';
import type { FuzzedFormat } from './chunks.ts';

/** Pictures to mutate, by format. */
export type Seeds = Readonly<Record<FuzzedFormat, readonly Buffer[]>>;

export const formats = ['jpeg', 'png', 'webp', 'gif', 'avif', 'tiff'] as const satisfies readonly FuzzedFormat[];

/** Hills with grain and an edge, the same every time. */
function draw(width: number, height: number, channels: 3 | 4 = 3): Sharp {
  const random = createRandom(width * height, channels);
  const pixels = Buffer.alloc(width * height * channels);
  for (let at = 0; at < pixels.length; at += 1) {
    const column = Math.floor(at / channels) % width;
    const row = Math.floor(at / channels / width);
    const hills = 90 + 60 * Math.sin(column / 9 + at) + 40 * Math.cos((column * row) / 500);
    pixels[at] = hills + (column > width / 2 ? 40 : 0) + random() * 20;
  }
  return sharp(pixels, { raw: { width, height, channels } });
}

async function drawFrames(width: number, height: number, count: number): Promise<Sharp> {
  const frames = Array.from({ length: count }, (_, index) => draw(width + index, height).resize(width, height));
  return sharp(await Promise.all(frames.map((frame) => frame.png().toBuffer())), { join: { animated: true } });
}

/** What is encoded. */
interface Canvases {
  readonly small: Sharp;
  readonly large: Sharp;
  readonly alpha: Sharp;
  /** RGBA of 16 bits. */
  readonly wide: Sharp;
  readonly animation: Sharp;
}

/** Coders, depths, interlacing, animations, metadata. */
const kinds: Readonly<Record<FuzzedFormat, (canvases: Canvases) => readonly Sharp[]>> = {
  jpeg: ({ small, large }) => [
    small.clone().jpeg(),
    large.clone().jpeg({ chromaSubsampling: '4:4:4' }),
    large.clone().jpeg({ progressive: true }),
    small.clone().toColourspace('cmyk').jpeg(),
    small.clone().toColourspace('cmyk').jpeg({ progressive: true }),
    large.clone().greyscale().jpeg(),
    large.clone().withMetadata({ orientation: 6 }).jpeg(),
    small.clone().withIccProfile('p3').jpeg(),
    small
      .clone()
      .withIccProfile('srgb')
      .withExif({ IFD0: { Artist: 'somebody' } })
      .jpeg({ quality: 20 }),
  ],
  png: ({ small, large, alpha, wide }) => [
    small.clone().png(),
    small.clone().png({ palette: true }),
    alpha.clone().png({ palette: true, colours: 8 }),
    alpha.clone().png({ progressive: true }),
    wide.clone().png({ progressive: true }),
    wide.clone().removeAlpha().png().withIccProfile('p3'),
    large.clone().greyscale().png(),
    small.clone().withMetadata({ orientation: 5 }).png(),
  ],
  webp: ({ small, large, alpha, animation }) => [
    large.clone().webp(),
    small.clone().webp({ lossless: true }),
    alpha.clone().webp({ alphaQuality: 50 }),
    alpha.clone().webp({ nearLossless: true }),
    animation.clone().webp(),
    animation.clone().webp({ lossless: true }),
    small.clone().withMetadata({ orientation: 3 }).webp(),
  ],
  gif: ({ small, large, alpha, animation }) => [
    small.clone().gif(),
    alpha.clone().gif(),
    animation.clone().gif(),
    large.clone().gif({ colours: 4 }),
  ],
  avif: ({ small, large, alpha }) => [
    small.clone().avif({ effort: 0 }),
    alpha.clone().avif({ effort: 0 }),
    alpha.clone().avif({ effort: 0, bitdepth: 12 }),
    small.clone().avif({ effort: 0, lossless: true }),
    large.clone().greyscale().avif({ effort: 0 }),
    small.clone().withMetadata({ orientation: 8 }).avif({ effort: 0 }),
  ],
  tiff: ({ small, large, wide }) => [
    ...(['none', 'lzw', 'deflate', 'packbits', 'jpeg'] as const).flatMap((compression) => [
      small.clone().tiff({ compression }),
      large.clone().tiff({ compression, tile: true, tileWidth: 64, tileHeight: 64 }),
    ]),
    wide.clone().tiff({ compression: 'deflate', predictor: 'horizontal' }),
    large.clone().tiff({ compression: 'lzw', pyramid: true, tile: true }),
    large.clone().threshold().toColourspace('b-w').tiff({ compression: 'ccittfax4', bitdepth: 1 }),
    small.clone().toColourspace('cmyk').tiff({ compression: 'lzw' }),
  ],
};

/** Draws several kinds of each format. */
export async function drawSeeds(): Promise<Seeds> {
  const alpha = draw(61, 43, 4);
  const canvases = {
    small: draw(61, 43),
    large: draw(320, 240),
    alpha,
    wide: alpha.clone().toColourspace('rgb16'),
    animation: await drawFrames(40, 30, 4),
  };
  const encode = (format: FuzzedFormat): Promise<Buffer[]> =>
    Promise.all(kinds[format](canvases).map((kind) => kind.toBuffer()));
  const encoded = await Promise.all(formats.map(async (format) => [format, await encode(format)] as const));
  return Object.fromEntries(encoded) as Record<FuzzedFormat, Buffer[]>;
}

/** Adds the pictures of a folder, regardless of their names. */
export function addSeeds(seeds: Seeds, folder: string): Seeds {
  const added = { ...seeds };
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  for (const { name } of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const bytes = readFileSync(path.join(folder, name));
    const format = sniffFormat(bytes);
    if (format !== undefined && format !== 'heic') added[format] = [...added[format], bytes];
  }
  return added;
}
