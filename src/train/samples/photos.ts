import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { exitCodes, ExitError, toMessage } from '../../errors.ts';
import type { Source } from './sources.ts';
import { toSources } from './sources.ts';

/** A decoded picture: uint8 RGB [height, width, 3]. */
export interface Picture {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** A good photograph that samples are made from. */
export interface Photo extends Picture {
  readonly file: string;
  readonly source: Source;
}

/** Longer sides are scaled down to this, the longest side of the uploads that samples simulate. */
const maxSide = 1600;
const extensions = /\.(jpe?g|png|webp|tiff?|avif)$/i;

/**
 * Lists the photographs of a folder, sorted by name.
 * @throws {@link ExitError} 78 where the folder can't be read or holds none.
 */
export async function listPhotos(dir: string): Promise<string[]> {
  const names = await readdir(dir).catch((thrown: unknown) => {
    throw new ExitError(exitCodes.configuration, `photos can't be read: ${toMessage(thrown)}`, { cause: thrown });
  });
  const files = names.filter((name) => extensions.test(name)).sort();
  if (files.length === 0) throw new ExitError(exitCodes.configuration, `no photograph in ${dir}`);
  return files;
}

/**
 * Loads every photograph of a folder, sorted by name; `SOURCES.tsv` in it names their origin.
 * @throws {@link ExitError} 78 where the folder or a photograph can't be read, or there are fewer than two.
 */
export async function loadPhotos(dir: string, onPhoto: (done: number, total: number) => void): Promise<Photo[]> {
  const files = await listPhotos(dir);
  if (files.length < 2) {
    const message = `only one photograph in ${dir}: training needs at least two`;
    throw new ExitError(exitCodes.configuration, message);
  }
  return loadNamedPhotos(dir, files, onPhoto);
}

/**
 * Loads some photographs of a folder, in the order given.
 * @throws {@link ExitError} 78 where one can't be read.
 */
export async function loadNamedPhotos(
  dir: string,
  files: readonly string[],
  onPhoto: (done: number, total: number) => void,
): Promise<Photo[]> {
  const sources = await loadSources(dir);
  const photos: Photo[] = [];
  for (const file of files) {
    const picture = await loadPicture(path.join(dir, file));
    photos.push({ ...picture, file, source: sources.get(file) ?? { origin: 'unknown', licence: 'unknown' } });
    onPhoto(photos.length, files.length);
  }
  return photos;
}

async function loadSources(dir: string): Promise<ReadonlyMap<string, Source>> {
  const file = path.join(dir, 'SOURCES.tsv');
  return existsSync(file) ? toSources(await readFile(file, 'utf8')) : new Map<string, Source>();
}

async function loadPicture(file: string): Promise<Picture> {
  try {
    const { data, info } = await sharp(file)
      .autoOrient()
      .resize({ width: maxSide, height: maxSide, fit: 'inside', withoutEnlargement: true })
      .flatten({ background: 'white' })
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { pixels: data, width: info.width, height: info.height };
  } catch (thrown) {
    const message = `photograph can't be read: ${file}: ${toMessage(thrown)}`;
    throw new ExitError(exitCodes.configuration, message, { cause: thrown });
  }
}
