// Holds one model in one form; its parent tells it when to run.
import { readPrivateBytes } from '../src/compile/measure/batches.ts';
import { createEngine } from '../src/inference/engines/create-engine.ts';
import type { LoadedModel } from '../src/inference/engines/engine.ts';
import { loadModelFiles } from '../src/model/model-files.ts';
import { findVersion, loadModelStore } from '../src/model/model-store.ts';

/** What a form costs before it answers. */
export interface Readiness {
  readonly startMs: number;
  readonly loadMs: number;
  readonly firstMs: number;
  readonly privateBytes: number;
}

/** The parent's order, answered with the time of each run in ms. */
export interface Slice {
  readonly batch: number;
  readonly runs: number;
}

const [modelsDir = '', name = '', form = '', artefactDir] = process.argv.slice(2);
const startedAt = performance.now();
const engine = await createEngine(form === 'wasm' ? 'wasm' : 'tensorflow');
const startMs = performance.now() - startedAt;

const found = findVersion(loadModelStore(modelsDir), name);
if (found.kind === 'broken') throw new Error(found.reason);
const { model } = found;
const { width, height } = model.manifest.input;
const loadedAt = performance.now();
const files = artefactDir === undefined ? await loadModelFiles(model) : new Map<string, Buffer>();
const loaded = await engine.loadModel(model, files, artefactDir);
const loadMs = performance.now() - loadedAt;
const firstMs = await timeRun(loaded, 1);
const ready: Readiness = { startMs, loadMs, firstMs, privateBytes: await readPrivateBytes() };
process.on('message', ({ batch, runs }: Slice) => {
  void runSlice(batch, runs).then((times) => process.send?.(times));
});
process.send?.(ready);

async function runSlice(batch: number, runs: number): Promise<number[]> {
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) times.push(await timeRun(loaded, batch));
  return times;
}

async function timeRun(held: LoadedModel, batch: number): Promise<number> {
  const pixels = new Uint8Array(width * height * 3 * batch).map((_, index) => (index * 31) % 256);
  const from = performance.now();
  await held.run(pixels, batch);
  return performance.now() - from;
}
