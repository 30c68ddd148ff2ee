import { readArtefact } from '../../model/artefact.ts';
import type { ModelVersion } from '../../model/model-version.ts';
import type { LoadedModel } from './engine.ts';
import type { TensorFlow } from './tensorflow.ts';
import { getNodeBackend, type TensorFlowBinding, type TensorMetadata } from './tensorflow-binding.ts';
import { assertScores } from './tfjs-model.ts';

/** The input and the output of every compiled graph. */
const input = 'images:0';
const output = 'scores:0';

/**
 * Loads a compiled model from its artefact. tfjs-node's own loader reads the whole graph in JavaScript once more and
 * turns pixels into int32; this one asks the native library directly.
 */
export async function loadCompiledModel(
  tf: TensorFlow,
  model: ModelVersion,
  artefactDir: string,
): Promise<LoadedModel> {
  const { usefulBatch } = await readArtefact(artefactDir);
  return loadCompiledGraph(tf, model, artefactDir, usefulBatch);
}

/** Loads the graph in `dir`, whatever is known of it. @throws Error with TensorFlow's reason. */
export function loadCompiledGraph(
  tf: TensorFlow,
  model: ModelVersion,
  dir: string,
  usefulBatch: number | undefined,
): LoadedModel {
  const { binding } = getNodeBackend(tf);
  const session = binding.loadSavedModel(dir, 'serve');
  const { width, height } = model.manifest.input;
  const labels = model.manifest.output.labels.length;
  const score = (batch: Uint8Array, count: number): Float32Array => {
    const images = binding.createTensor([count, height, width, 3], binding.TF_UINT8, batch);
    try {
      const [scores] = binding.runSavedModel(session, [images], input, output);
      if (!scores) throw new Error('the compiled graph has no output');
      return takeScores(binding, scores, count, labels);
    } finally {
      binding.deleteTensor(images);
    }
  };
  return {
    form: 'compiled',
    usefulBatch,
    run: (batch, count) =>
      new Promise((resolve) => {
        resolve(score(batch, count));
      }),
    dispose() {
      binding.deleteSavedModel(session);
    },
  };
}

function takeScores(binding: TensorFlowBinding, scores: TensorMetadata, count: number, labels: number): Float32Array {
  try {
    assertScores(scores.shape, count, labels);
    return binding.tensorDataSync(scores.id) as Float32Array;
  } finally {
    binding.deleteTensor(scores.id);
  }
}
