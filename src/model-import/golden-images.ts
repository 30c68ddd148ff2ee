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

/** A golden image before it has scores. */
export interface GoldenImage {
  /** Inside the folder of the model. */
  readonly name: string;
  readonly bytes: Buffer;
}

/** Engines and versions of image libraries differ by less. */
const tolerance = 0.01;

const drawnWidth = 320;
const drawnHeight = 240;

/**
 * Reads the pictures that the user chose, or draws one where there are none.
 * @throws Error that names the picture
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
 * Writes the pictures into the model's folder and scores them by the model in its own form.
 * @throws Error that names the picture, or the score that is none
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

/** Says whose fault it is, in one line: TensorFlow's reasons run over several and name no file. */
function nameMainFile({ manifest }: ModelVersion): (thrown: unknown) => never {
  const file = toMainFile(manifest.format);
  return (thrown) => {
    const reason = toMessage(thrown).replaceAll(/\s+/g, ' ');
    throw new Error(reason.startsWith(`${file}:`) ? reason : `${file}: ${reason}`, { cause: thrown });
  };
}

/** Decodes the golden images of a version as they lie on disk. */
export async function decodeGolden(model: ModelVersion, limits: DecodeLimits): Promise<GoldenRaster[]> {
  const golden: GoldenRaster[] = [];
  for (const { image, scores, tolerance: allowed } of model.manifest.golden) {
    const raster = await decode(image, await readFile(path.join(model.dir, image)), model, limits);
    golden.push({ image, scores, tolerance: allowed, raster });
  }
  return golden;
}

/**
 * Runs the golden images through the form in which the version will be served.
 * @throws Error that names the picture whose scores differ
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

/** Colours that flow into each other and a bright disc: something at every frequency, the same each time. */
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
