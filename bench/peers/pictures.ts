import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import type { Size } from '../../src/image/types.ts';

const sizes = [
  { width: 640, height: 480 },
  { width: 1280, height: 960 },
  { width: 4000, height: 3000 },
] as const;

/**
 * Writes photographs of a folder as JPEG of the three sizes that are uploaded, and without loss in the size that the
 * network wants: nothing is resized, and decoders agree to the bit. @returns their files
 */
export async function writePictures(photosDir: string, dir: string, count: number, own: Size): Promise<string[]> {
  const names = readdirSync(photosDir).filter((name) => /\.(jpe?g|png|webp)$/i.test(name));
  if (names.length === 0) throw new Error(`${photosDir} holds no .jpg, .png or .webp`);
  // From all over the folder: photographs of one source are neighbours.
  const step = Math.max(1, Math.floor(names.length / count));
  const chosen = names.filter((_, index) => index % step === 0).slice(0, count);
  const files: string[] = [];
  mkdirSync(dir, { recursive: true });
  for (const size of [own, ...sizes]) {
    for (const name of chosen) {
      const { width, height } = size;
      const photo = sharp(path.join(photosDir, name)).autoOrient().flatten().toColourspace('srgb');
      const resized = photo.resize({ width, height, fit: 'cover' });
      const file = path.join(dir, `${path.parse(name).name}-${String(width)}.${size === own ? 'png' : 'jpg'}`);
      await (size === own ? resized.png() : resized.jpeg({ quality: 90 })).toFile(file);
      files.push(file);
    }
  }
  return files;
}
