// Records the CPU time of decodes and batches of a warm MobileNetV2 for the simulation; takes half a minute.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import { decodeImage } from '../../src/image/decode.ts';
import { loadNativeJpeg } from '../../src/image/native-jpeg.ts';
import { compileInChild } from '../../src/inference/compile-child.ts';
import type { QueuedImage } from '../../src/inference/image-queue.ts';
import { ModelInstance } from '../../src/inference/model-instance.ts';
import type { ModelVersion } from '../../src/model/model-version.ts';
import { findModel, subject } from '../../test/fixtures/inference.ts';
import { makePhoto } from '../../test/fixtures/pictures.ts';
import { writeMobileNet } from '../mobilenet.ts';
import { type ServiceTimes, serviceTimesFile } from './service-times.ts';

const maxBatch = 8;
const rounds = 60;
const sizes = [
  [320, 240],
  [640, 480],
  [1280, 960],
] as const;

const dir = mkdtempSync(path.join(os.tmpdir(), 'image-check-bench-'));
try {
  const times = await record(dir);
  writeFileSync(
    serviceTimesFile,
    `${JSON.stringify(times, (_, value: unknown) => (typeof value === 'number' ? Number(value.toFixed(2)) : value))}\n`,
  );
} finally {
  rmSync(dir, { recursive: true, force: true });
}

async function record(modelsDir: string): Promise<ServiceTimes> {
  await writeMobileNet(modelsDir, 'quality');
  const model = findModel(modelsDir, 'quality');
  const { instance, usefulBatch } = await loadInstance(model, path.join(modelsDir, 'artefacts'));
  loadNativeJpeg();
  const { config } = loadConfig({ rootDir: modelsDir, environment: {}, flags: new Map() });
  const photos = await Promise.all(sizes.map(([width, height], index) => makePhoto(index, width, height)));
  const batches: number[][] = Array.from({ length: Math.min(maxBatch, usefulBatch) }, () => []);
  const decodes: number[] = [];
  for (let round = -1; round < rounds; round += 1) {
    const images: QueuedImage[] = [];
    for (const photo of photos) {
      const { value, cpuMs } = await measureCpu(() => decodeImage(photo, model.manifest.input, config.image));
      images.push(toQueued(value));
      if (round >= 0) decodes.push(cpuMs);
    }
    for (const [index, times] of batches.entries()) {
      const batch = Array.from({ length: index + 1 }, (_, at) => images[at % images.length]).filter((image) => image);
      const { cpuMs } = await measureCpu(() => instance.run(batch as QueuedImage[]));
      if (round >= 0) times.push(cpuMs);
    }
  }
  return { decodes, batches };
}

async function loadInstance(
  model: ModelVersion,
  cacheDir: string,
): Promise<{ instance: ModelInstance; usefulBatch: number }> {
  const fail = (): void => {
    throw new Error('the model thread ended');
  };
  const options = {
    engine: 'tensorflow',
    loadTimeoutMs: 60_000,
    stuckMs: 60_000,
    onStarted: () => undefined,
    onLost: fail,
    onHang: fail,
  } as const;
  const instance = new ModelInstance(model, options);
  const task = { model, golden: [], maxBatch, cacheDir, wantsArtefact: true };
  const first = await instance.load(task);
  if (first.kind === 'loaded') throw new Error('there was an artefact in a new folder');
  await compileInChild({ model, cacheDir, tensorflowVersion: first.tensorflowVersion, golden: [] });
  const loaded = await instance.load({ ...task, wantsArtefact: false });
  if (loaded.kind !== 'loaded') throw new Error('the model is not compiled');
  return { instance, usefulBatch: loaded.usefulBatch ?? maxBatch };
}

function toQueued(raster: Uint8Array): QueuedImage {
  const ignore = (): void => undefined;
  return { raster, subject, explain: false, queuedAt: 0, resolve: ignore, reject: ignore };
}

/** Of all threads of the process, so that other processes do not count. */
async function measureCpu<T>(work: () => Promise<T>): Promise<{ value: T; cpuMs: number }> {
  const before = process.cpuUsage();
  const value = await work();
  const { user, system } = process.cpuUsage(before);
  return { value, cpuMs: (user + system) / 1000 };
}
