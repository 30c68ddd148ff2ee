import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { drawLandscape } from '../../src/train/samples/landscape.ts';
import { listPhotos } from '../../src/train/samples/photos.ts';
import { createRandom } from '../../src/train/samples/random.ts';

/** The sizes of the uploads. */
export type SizeName = '640×480' | '1280×960' | '12 MP';

/** All sizes with their pixels, in the order of the tables. */
export const sizes: Readonly<Record<SizeName, readonly [width: number, height: number]>> = {
  '640×480': [640, 480],
  '1280×960': [1280, 960],
  '12 MP': [4000, 3000],
};

/** The names of all sizes. */
export const sizeNames = ['640×480', '1280×960', '12 MP'] as const satisfies readonly SizeName[];

/** Pictures in files: baseline JPEG, and one of each kind of large ones. */
export interface Pictures {
  readonly files: Readonly<Record<SizeName, readonly string[]>>;
  readonly largeJpeg: string;
  readonly largePng: string;
}

const quality = 88;
/** An enlarged photograph is smoother than a camera's: so it has 1.4 to 2.6 MB, and costs as much to decode. */
const grains: Readonly<Record<SizeName, number>> = { '640×480': 0, '1280×960': 0, '12 MP': 10 };
/** Large, but below the 10 MiB that a service takes by default. */
const large = { jpegQuality: 96, jpegGrain: 32, pngSide: [1920, 1440], pngGrain: 4 } as const;
const sceneSide = [1600, 1200] as const;

/** Makes pictures of all sizes from photographs of a folder, or of drawn scenes. @returns them, in files of `dir` */
export async function makePictures(dir: string, photosDir: string | undefined, count: number): Promise<Pictures> {
  mkdirSync(dir, { recursive: true });
  const sources = await loadSources(photosDir, count);
  const files: Record<SizeName, string[]> = { '640×480': [], '1280×960': [], '12 MP': [] };
  for (const size of sizeNames) {
    const sides = sizes[size];
    for (const [index, source] of sources.entries()) {
      const file = path.join(dir, `${String(sides[0])}-${String(index)}.jpg`);
      const grainy = await addGrain(source, sides, grains[size]);
      writeFileSync(file, await grainy.jpeg({ quality, progressive: false }).toBuffer());
      files[size].push(file);
    }
  }
  const [first] = sources;
  if (first === undefined) throw new Error('there are no pictures');
  const largeJpeg = path.join(dir, 'large.jpg');
  const jpeg = await addGrain(first, sizes['12 MP'], large.jpegGrain);
  writeFileSync(largeJpeg, await jpeg.jpeg({ quality: large.jpegQuality }).toBuffer());
  const largePng = path.join(dir, 'large.png');
  const png = await addGrain(first, large.pngSide, large.pngGrain);
  writeFileSync(largePng, await png.png({ compressionLevel: 3 }).toBuffer());
  return { files, largeJpeg, largePng };
}

type Source = () => Sharp;

/** The largest of a folder: less has to be made up for the size of a camera. */
async function loadSources(photosDir: string | undefined, count: number): Promise<Source[]> {
  if (photosDir === undefined) {
    return Array.from({ length: count }, (_, seed) => {
      const [width, height] = sceneSide;
      const { pixels } = drawLandscape(seed + 1, width, height);
      return () => sharp(pixels, { raw: { width, height, channels: 3 } });
    });
  }
  const files = (await listPhotos(photosDir)).map((name) => path.join(photosDir, name));
  const measured = await Promise.all(
    files.map(async (file) => {
      const { width, height } = await sharp(file).metadata();
      return { file, pixels: width * height };
    }),
  );
  const largest = measured.toSorted((a, b) => b.pixels - a.pixels).slice(0, count);
  return largest.map(
    ({ file }) =>
      () =>
        sharp(file, { limitInputPixels: false }).rotate(),
  );
}

/** Fills the size and lays noise over it: what was enlarged is smoother than a camera's pictures. */
async function addGrain(source: Source, [width, height]: readonly [number, number], amount: number): Promise<Sharp> {
  const pixels = await source()
    .resize(width, height, { fit: 'cover' })
    .flatten({ background: 'white' })
    .toColourspace('srgb')
    .raw()
    .toBuffer();
  const random = createRandom(width);
  // One table for all pixels: millions of draws take seconds. No picture's width is a multiple of its odd length.
  const noise = Int8Array.from({ length: 65_521 }, () => Math.round(amount * (random() + random() - 1)));
  const clamped = new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, pixels.length);
  for (let at = 0, next = 0; at < clamped.length; at += 1) {
    clamped[at] = (clamped[at] ?? 0) + (noise[next] ?? 0);
    next = next + 1 === noise.length ? 0 : next + 1;
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}
