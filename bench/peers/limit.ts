// The limit: decode and inference as a worker does them, one after the other in one process, without HTTP.
// Forked with the environment of a worker; each order is answered with what it cost.
import { readFileSync } from 'node:fs';
import { loadFlaggedConfig } from '../../src/cli/flagged-config.ts';
import { readPrivateBytes } from '../../src/compile/measure/batches.ts';
import { decodeImage } from '../../src/image/decode.ts';
import { loadNativeJpeg } from '../../src/image/native-jpeg.ts';
import { createEngine } from '../../src/inference/engines/create-engine.ts';
import { findArtefact } from '../../src/model/artefact.ts';
import { findVersion, loadModelStore } from '../../src/model/model-store.ts';
import type { BenchModel } from './contender.ts';
import { modelsDir } from './installed.ts';

/** What the parent wants measured: each file, and how often. */
export interface LimitOrder {
  readonly files: readonly string[];
  readonly model: BenchModel;
  readonly rounds: number;
}

/** The answer. */
export interface LimitCost {
  /** CPU time of the whole process for one image. */
  readonly cpuMs: number;
  readonly wallMs: number;
  /** Most memory of its own that the process had at the end of a round. */
  readonly peakPrivateBytes: number;
  /** The scores of each file. */
  readonly scores: readonly (readonly number[])[];
}

type Judge = (bytes: Buffer) => Promise<Float32Array>;

const judges = new Map<BenchModel, Promise<Judge>>();
process.on('message', (order: LimitOrder) => {
  void measure(order).then((cost) => process.send?.(cost));
});

async function measure({ files, model, rounds }: LimitOrder): Promise<LimitCost> {
  const pictures = files.map((file) => readFileSync(file));
  const held = judges.get(model) ?? createJudge(model);
  judges.set(model, held);
  const judge = await held;
  const scores: number[][] = [];
  // Once unmeasured: what the first runs allocate, a worker allocates once.
  for (const picture of pictures) scores.push(Array.from(await judge(picture)));
  let peakPrivateBytes = 0;
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  for (let round = 0; round < rounds; round += 1) {
    for (const picture of pictures) await judge(picture);
    peakPrivateBytes = Math.max(peakPrivateBytes, await readPrivateBytes());
  }
  const wallMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpuBefore);
  const images = rounds * pictures.length;
  return { cpuMs: (user + system) / 1000 / images, wallMs: wallMs / images, peakPrivateBytes, scores };
}

/** The one place that knows how a worker gets from bytes to scores. */
async function createJudge(name: BenchModel): Promise<Judge> {
  const engine = await createEngine('tensorflow');
  loadNativeJpeg();
  const found = findVersion(loadModelStore(modelsDir), name);
  if (found.kind === 'broken') throw new Error(found.reason);
  const { config } = loadFlaggedConfig({});
  const artefact = await findArtefact(found.model, config.model.artefactDir, engine.tensorflowVersion ?? '');
  if (artefact.kind !== 'compiled') throw new Error(`${name} is not compiled`);
  const loaded = await engine.loadModel(found.model, new Map(), artefact.dir);
  const { input } = found.model.manifest;
  return async (bytes) => loaded.run(await decodeImage(bytes, input, config.image), 1);
}
