import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import type { CompileOutcome } from '../compile/compile-model.ts';
import { toMessage } from '../errors.ts';
import { decodeImage } from '../image/decode.ts';
import type { DecodeLimits } from '../image/types.ts';
import { loadCompiledModel } from '../inference/engines/compiled-model.ts';
import { loadOriginalModel } from '../inference/engines/original-model.ts';
import type { TensorFlow } from '../inference/engines/tensorflow.ts';
import { verifyGolden } from '../inference/golden.ts';
import type { GoldenRaster } from '../ipc/thread-messages.ts';
import type { Manifest } from '../model/manifest.ts';
import { loadModelFiles, toMainFile } from '../model/model-files.ts';
import type { ModelVersion } from '../model/model-version.ts';
import { toShortList } from '../short-list.ts';

/** A golden image without scores yet. */
export interface GoldenImage {
  /** Path inside the model's folder. */
  readonly name: string;
  readonly bytes: Buffer;
}

/** More than the differences between engines and versions of image libraries. */
const tolerance = 0.01;

const drawnWidth = 320;
const drawnHeight = 240;

/**
 * Reads the user's images, or generates one if there are none.
 * @throws Error that names the image
 */
export async function loadGoldenImages(files: readonly string[]): Promise<GoldenImage[]> {
  if (files.length === 0) return [{ name: 'golden/drawn.png', bytes: await drawPicture() }];
  const images: GoldenImage[] = [];
  for (const file of files) {
    const bytes = await readFile(file).catch((thrown: unknown) => {
      throw new Error(`${file}: can't be read: ${toMessage(thrown)}`, { cause: thrown });
    });
    const name = `golden/${path.basename(file)}`;
    if (images.some((image) => image.name === name)) throw new Error(`${file}: another golden image has its name`);
    images.push({ name, bytes });
  }
  return images;
}

/**
 * Writes the images into the model's folder and scores them with the original model.
 * @throws Error that names the image, or the scores if one is not a finite number
 */
export async function scoreGolden(
  tf: TensorFlow,
  model: ModelVersion,
  images: readonly GoldenImage[],
  limits: DecodeLimits,
): Promise<Manifest['golden']> {
  await mkdir(path.join(model.dir, 'golden'), { recursive: true });
  const original = await loadOriginalModel(tf, model, await loadModelFiles(model)).catch(nameMainFile(model));
  try {
    const golden: Manifest['golden'] = [];
    for (const { name, bytes } of images) {
      await writeFile(path.join(model.dir, name), bytes);
      const raster = await decode(name, bytes, model, limits);
      const scores = Array.from(await original.run(raster, 1).catch(nameMainFile(model)));
      if (!scores.every(Number.isFinite)) {
        throw new Error(`${name}: the model answers ${toShortList(scores.map(String))}`);
      }
      golden.push({ image: name, scores: scores.map((score) => Number(score.toFixed(6))), tolerance });
    }
    return golden;
  } finally {
    original.dispose();
  }
}

/** Adds the file name and joins lines: TensorFlow's messages have several lines and no file name. */
function nameMainFile({ manifest }: ModelVersion): (thrown: unknown) => never {
  const file = toMainFile(manifest.format);
  return (thrown) => {
    const reason = toMessage(thrown).replaceAll(/\s+/g, ' ');
    throw new Error(reason.startsWith(`${file}:`) ? reason : `${file}: ${reason}`, { cause: thrown });
  };
}

/** Decodes the golden images of a version. */
export async function decodeGolden(model: ModelVersion, limits: DecodeLimits): Promise<GoldenRaster[]> {
  const golden: GoldenRaster[] = [];
  for (const { image, scores, tolerance: allowed } of model.manifest.golden) {
    const raster = await decode(image, await readFile(path.join(model.dir, image)), model, limits);
    golden.push({ image, scores, tolerance: allowed, raster });
  }
  return golden;
}

/**
 * Verifies the golden images with the form of the model that will be served.
 * @throws Error that names the image whose scores differ
 */
export async function verifyStored(
  tf: TensorFlow,
  model: ModelVersion,
  files: ReadonlyMap<string, Buffer>,
  golden: readonly GoldenRaster[],
  outcome: CompileOutcome,
): Promise<void> {
  const loading =
    outcome.kind === 'compiled' ? loadCompiledModel(model, outcome.dir) : loadOriginalModel(tf, model, files);
  const served = await loading;
  try {
    for (const image of golden) verifyGolden(image, await served.run(image.raster.slice(), 1));
  } finally {
    served.dispose();
  }
}

async function decode(
  name: string,
  bytes: Uint8Array,
  { manifest }: ModelVersion,
  limits: DecodeLimits,
): Promise<Uint8Array> {
  try {
    return await decodeImage(bytes, manifest.input, limits);
  } catch (thrown) {
    throw new Error(`${name}: ${toMessage(thrown)}`, { cause: thrown });
  }
}

/** Generates a fixed image with gradients, stripes and a bright disc, which has content at every frequency. */
function drawPicture(): Promise<Buffer> {
  const pixels = new Uint8Array(drawnWidth * drawnHeight * 3);
  for (let row = 0; row < drawnHeight; row += 1) {
    for (let column = 0; column < drawnWidth; column += 1) {
      const isDisc = (column - 200) ** 2 + (row - 100) ** 2 < 50 ** 2;
      const stripes = 40 * Math.sin(column / 3) * (row / drawnHeight);
      const colour = isDisc ? [240, 190, 160] : [column * 0.7, row * 0.9 + stripes, 200 - column * 0.5];
      pixels.set(
        colour.map((value) => Math.min(255, Math.max(0, Math.round(value)))),
        (row * drawnWidth + column) * 3,
      );
    }
  }
  return sharp(pixels, { raw: { width: drawnWidth, height: drawnHeight, channels: 3 } })
    .png()
    .toBuffer();
}
