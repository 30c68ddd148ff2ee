import { readArtefact } from '../../model/artefact.ts';
import type { ModelVersion } from '../../model/model-version.ts';
import type { Explained, LoadedModel } from './engine.ts';
import { assertMaps, assertScores } from './outputs.ts';
import { loadBinding } from './tensorflow.ts';
import type { TensorFlowBinding, TensorMetadata } from './tensorflow-binding.ts';

/** Input and outputs of every compiled graph; TensorFlow runs only what the requested outputs need. */
const input = 'images:0';
const scoresOutput = 'scores:0';
const mapOutput = 'map:0';

/**
 * Loads a compiled model from its artefact. Calls the native library directly: tfjs-node's loader would parse the graph again
 * in JavaScript and convert pixels to int32.
 */
export async function loadCompiledModel(model: ModelVersion, artefactDir: string): Promise<LoadedModel> {
  const { usefulBatch } = await readArtefact(artefactDir);
  return loadCompiledGraph(model, artefactDir, usefulBatch);
}

/** Loads the graph in `dir`, with or without an artefact.json. @throws Error with TensorFlow's reason */
export function loadCompiledGraph(model: ModelVersion, dir: string, usefulBatch: number | undefined): LoadedModel {
  const binding = loadBinding();
  const session = binding.loadSavedModel(dir, 'serve');
  const { input: size, output } = model.manifest;
  const infer = (batch: Uint8Array, count: number, wanted: readonly string[]): Explained => {
    const images = binding.createTensor([count, size.height, size.width, 3], binding.TF_UINT8, batch);
    let tensors: TensorMetadata[] = [];
    try {
      tensors = binding.runSavedModel(session, [images], input, wanted.join(','));
      const [scores, map] = tensors;
      assertScores(scores?.shape ?? [], count, output.labels.length);
      if (map) assertMaps(map.shape, count, output);
      return { scores: readFloats(binding, scores), maps: readFloats(binding, map) };
    } finally {
      for (const { id } of tensors) binding.deleteTensor(id);
      binding.deleteTensor(images);
    }
  };
  return {
    form: 'compiled',
    usefulBatch,
    run: (batch, count) =>
      new Promise((resolve) => {
        resolve(infer(batch, count, [scoresOutput]).scores);
      }),
    ...(output.map && {
      explain: (batch: Uint8Array, count: number): Promise<Explained> =>
        new Promise((resolve) => {
          resolve(infer(batch, count, [scoresOutput, mapOutput]));
        }),
    }),
    dispose() {
      binding.deleteSavedModel(session);
    },
  };
}

function readFloats(binding: TensorFlowBinding, tensor: TensorMetadata | undefined): Float32Array {
  return tensor ? (binding.tensorDataSync(tensor.id) as Float32Array) : new Float32Array();
}
