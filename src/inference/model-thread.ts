// The thread of one engine with one model: answers one message at a time, in order.
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { toMessage } from '../errors.ts';
import type { FromThread, ThreadAnswer, ThreadData, ToThread } from '../ipc/thread-messages.ts';
import { findArtefact } from '../model/artefact.ts';
import { loadModelFiles, toMainFile, verifyModelFiles } from '../model/model-files.ts';
import type { ModelVersion } from '../model/model-version.ts';
import { createEngine } from './engines/create-engine.ts';
import type { Engine, LoadedModel } from './engines/engine.ts';
import { verifyGolden } from './golden.ts';
import { threadPriority } from './thread-priority.ts';
import { warmUp } from './warm-up.ts';

const port = parentPort;
if (!port) throw new Error('model-thread runs as a worker thread only');
if (process.platform === 'linux') setPriority(threadPriority);
let engine = startEngine();
let loadedModel: LoadedModel | undefined;

port.on('message', (message: ToThread) => {
  void answer(message)
    .catch((thrown: unknown): ThreadAnswer => ({ type: 'failed', id: message.id, reason: toMessage(thrown) }))
    .then((reply) => {
      const moved = reply.type === 'scores' ? [reply.scores, reply.batch, reply.maps ?? []].flat() : [];
      port.postMessage(
        reply,
        moved.map(({ buffer }) => buffer as ArrayBuffer),
      );
    });
});

async function answer(message: ToThread): Promise<ThreadAnswer> {
  if (message.type === 'load') return load(message);
  if (!loadedModel) throw new Error('no model is loaded in this thread');
  return run(loadedModel, message);
}

async function run(model: LoadedModel, message: Extract<ToThread, { type: 'run' }>): Promise<ThreadAnswer> {
  const startedAt = performance.now();
  const { id, batch, count, wantsMaps } = message;
  const explained = wantsMaps ? await model.explain?.(batch, count) : undefined;
  const scores = explained?.scores ?? (await model.run(batch, count));
  return {
    type: 'scores',
    id,
    // tfjs may return a view of its own memory, which can't be transferred; a copy can.
    scores: Float32Array.from(scores),
    ...(explained && { maps: Float32Array.from(explained.maps) }),
    batch,
    runMs: performance.now() - startedAt,
  };
}

/** Loads and warms up the model and verifies its golden images before any upload reaches it. */
async function load(message: Extract<ToThread, { type: 'load' }>): Promise<ThreadAnswer> {
  const startedAt = performance.now();
  const { id, model, golden, cacheDir, wantsArtefact, maxBatch } = message;
  const { loadModel, tensorflowVersion } = await engine.catch((thrown: unknown) => {
    // The next load may succeed, e.g. after `image-check setup`.
    engine = startEngine();
    throw thrown;
  });
  const found = tensorflowVersion === undefined ? undefined : await findArtefact(model, cacheDir, tensorflowVersion);
  const artefactDir = found?.kind === 'compiled' ? found.dir : undefined;
  if (artefactDir !== undefined) verifyModelFiles(model);
  const files = artefactDir === undefined ? await loadModelFiles(model) : new Map<string, Buffer>();
  if (found?.kind === 'none' && tensorflowVersion !== undefined && wantsArtefact) {
    return { type: 'uncompiled', id, tensorflowVersion };
  }
  const loading = loadModel(model, files, artefactDir).then(async (warm) => {
    return { model: warm, ...(await warmUp(warm, model, maxBatch)) };
  });
  const loaded = await loading.catch((thrown: unknown) => {
    throw new Error(toNamed(toMessage(thrown), model), { cause: thrown });
  });
  for (const image of golden) verifyGolden(image, await loaded.model.run(image.raster, 1));
  loadedModel = loaded.model;
  const { form } = loaded.model;
  const { usefulBatch, remark } = loaded;
  const remarks = [
    ...(found?.faults ?? []),
    ...(found?.kind === 'refused' ? [`not compiled: ${found.reason}`] : []),
    ...(remark === undefined ? [] : [remark]),
  ];
  return { type: 'loaded', id, loaded: { loadMs: performance.now() - startedAt, form, usefulBatch, remarks } };
}

/** Starts the engine ahead of the first load, which awaits it and reports its failure. */
function startEngine(): Promise<Engine> {
  const started = createEngine((workerData as ThreadData).engine);
  started.then(
    () => parentPort?.postMessage({ type: 'started' } satisfies FromThread),
    () => undefined,
  );
  return started;
}

/** Adds the file name to errors of engines, which seldom have it. */
function toNamed(reason: string, { manifest }: ModelVersion): string {
  const file = toMainFile(manifest.format);
  return reason.includes(file) ? reason : `${file}: ${reason}`;
}
