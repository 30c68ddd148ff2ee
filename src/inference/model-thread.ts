// The thread that TensorFlow lives in: one message in, one answer out, in order.
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { toMessage } from '../errors.ts';
import type { FromThread, ThreadData, ToThread } from '../ipc/thread-messages.ts';
import { findArtefact } from '../model/artefact.ts';
import { loadModelFiles } from '../model/model-files.ts';
import { type ModelVersion, toModelKey } from '../model/model-version.ts';
import { createEngine } from './engines/create-engine.ts';
import type { LoadedModel } from './engines/engine.ts';
import { verifyGolden } from './golden.ts';
import { warmUp } from './warm-up.ts';

const port = parentPort;
if (!port) throw new Error('model-thread runs as a worker thread only');
// The HTTP thread answers health and refusals while this one fills the CPU. On Linux a priority is the calling thread's
// alone: of /livez under full load the p99 fell from 76 to 25 ms.
if (process.platform === 'linux') setPriority(10);
const engine = createEngine((workerData as ThreadData).engine);
// Every load awaits it and tells its failure; without this the failure would end the thread before the first load.
engine.catch(() => undefined);
const models = new Map<string, LoadedModel>();

port.on('message', (message: ToThread) => {
  void answer(message)
    .catch((thrown: unknown): FromThread => ({ type: 'failed', id: message.id, reason: toMessage(thrown) }))
    .then((reply) => {
      if (reply.type === 'scores') port.postMessage(reply, [reply.scores.buffer as ArrayBuffer]);
      else port.postMessage(reply);
    });
});

async function answer(message: ToThread): Promise<FromThread> {
  const startedAt = performance.now();
  if (message.type === 'load') return load(message);
  const model = models.get(message.key);
  if (!model) throw new Error(`${message.key} is not loaded in this thread`);
  // tfjs may answer a view of memory that is its own; a copy of a few scores can be transferred.
  const scores = Float32Array.from(await model.run(message.batch, message.count));
  return { type: 'scores', id: message.id, scores, runMs: performance.now() - startedAt };
}

/** Loads, warms up, and lets the model prove itself on its golden images before any upload sees it. */
async function load(message: Extract<ToThread, { type: 'load' }>): Promise<FromThread> {
  const startedAt = performance.now();
  const { id, model, golden, cacheDir, wantsArtefact, maxBatch } = message;
  const { loadModel, tensorflowVersion } = await engine;
  const files = await loadModelFiles(model);
  const found = tensorflowVersion === undefined ? undefined : await findArtefact(model, cacheDir, tensorflowVersion);
  if (found?.kind === 'none' && tensorflowVersion !== undefined && wantsArtefact) {
    return { type: 'uncompiled', id, tensorflowVersion };
  }
  const loading = loadModel(model, files, found?.kind === 'compiled' ? found.dir : undefined).then(async (warm) => {
    return { model: warm, ...(await warmUp(warm, model, maxBatch)) };
  });
  const loaded = await loading.catch((thrown: unknown) => {
    throw new Error(toNamed(toMessage(thrown), model), { cause: thrown });
  });
  for (const image of golden) verifyGolden(image, await loaded.model.run(image.raster, 1));
  models.set(toModelKey(model), loaded.model);
  const { form } = loaded.model;
  const { usefulBatch, remark } = loaded;
  const remarks = [
    ...(found?.faults ?? []),
    ...(found?.kind === 'refused' ? [`not compiled: ${found.reason}`] : []),
    ...(remark === undefined ? [] : [remark]),
  ];
  return { type: 'loaded', id, loaded: { loadMs: performance.now() - startedAt, form, usefulBatch, remarks } };
}

/** What an engine says of a network seldom names the file that holds it. */
function toNamed(reason: string, { manifest }: ModelVersion): string {
  const file = manifest.format === 'tf-savedmodel' ? 'saved_model.pb' : 'model.json';
  return reason.includes(file) ? reason : `${file}: ${reason}`;
}
