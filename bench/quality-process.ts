// Times both models and both decodes in turn and sends the figures to its parent.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { decodeImage } from '../src/image/decode.ts';
import { loadNativeJpeg } from '../src/image/native-jpeg.ts';
import { createEngine } from '../src/inference/engines/create-engine.ts';
import type { LoadedModel } from '../src/inference/engines/engine.ts';
import { findVersion, loadModelStore } from '../src/model/model-store.ts';
import type { ModelVersion } from '../src/model/model-version.ts';
import { drawLandscape } from '../src/train/samples/landscape.ts';

/** One figure per round. */
export interface QualityCost {
  readonly jpegBytes: number;
  readonly qualityMs: readonly number[];
  readonly mobileNetMs: readonly number[];
  /** CPU time of one decode to 224 × 224, and of what the service does for the shipped model. */
  readonly cheapestMs: readonly number[];
  readonly wholeMs: readonly number[];
}

const rounds = 40;
const runs = 5;
const limits = { maxPixels: 52_000_000, decodeTimeoutMs: 60_000, maxDecodeBytes: Infinity };

const [modelsDir = '', photo = ''] = process.argv.slice(2);
const engine = await createEngine('tensorflow');
loadNativeJpeg();
const quality = await load('quality');
const mobileNet = await load('mobilenet');
const jpeg = await makeLargeJpeg();
const cost = { jpegBytes: jpeg.length, qualityMs: [], mobileNetMs: [], cheapestMs: [], wholeMs: [] } as {
  readonly [Key in keyof QualityCost]: Key extends 'jpegBytes' ? number : number[];
};
for (let round = 0; round < rounds; round += 1) {
  cost.qualityMs.push(await timeRun(quality));
  cost.mobileNetMs.push(await timeRun(mobileNet));
  cost.cheapestMs.push(
    await measureCpu(() => sharp(jpeg).resize(224, 224, { fit: 'fill' }).removeAlpha().raw().toBuffer()),
  );
  cost.wholeMs.push(await measureCpu(checkWhole));
}
process.send?.(cost);

interface Held {
  readonly model: ModelVersion;
  readonly loaded: LoadedModel;
}

async function load(name: string): Promise<Held> {
  const found = findVersion(loadModelStore(modelsDir), name);
  if (found.kind === 'broken') throw new Error(found.reason);
  const loaded = await engine.loadModel(found.model, new Map(), path.join(modelsDir, `${name}-artefact`));
  return { model: found.model, loaded };
}

async function timeRun({ model, loaded }: Held): Promise<number> {
  const { width, height } = model.manifest.input;
  const pixels = new Uint8Array(width * height * 3).map((_, index) => (index * 31) % 256);
  const from = performance.now();
  for (let run = 0; run < runs; run += 1) await loaded.run(pixels, 1);
  return (performance.now() - from) / runs;
}

async function checkWhole(): Promise<void> {
  await quality.loaded.run(await decodeImage(jpeg, quality.model.manifest.input, limits), 1);
}

async function measureCpu(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  for (let run = 0; run < runs; run += 1) await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / runs;
}

/** Builds a JPEG of 12 megapixels from a photograph or a drawn landscape, with the grain of a phone's camera. */
async function makeLargeJpeg(): Promise<Buffer> {
  const scene = drawLandscape(1, 1600, 1200);
  const raw = { width: scene.width, height: scene.height, channels: 3 } as const;
  const source = photo === '' ? sharp(scene.pixels, { raw }) : sharp(readFileSync(photo));
  const large = source.resize(4032, 3024, { fit: 'fill' }).removeAlpha().raw();
  const { data, info } = await large.toBuffer({ resolveWithObject: true });
  let state = 1;
  for (let at = 0; at < data.length; at += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[at] = Math.min(255, Math.max(0, (data[at] ?? 0) + (state >>> 29) - 3.5));
  }
  return sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } })
    .jpeg({ quality: 90 })
    .toBuffer();
}
