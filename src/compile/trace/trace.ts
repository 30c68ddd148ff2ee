import type { Tensor4D } from '@tensorflow/tfjs-core';
import { assertMaps, assertScores } from '../../inference/engines/outputs.ts';
import type { TensorFlow } from '../../inference/engines/tensorflow.ts';
import { getNodeBackend } from '../../inference/engines/tensorflow-binding.ts';
import { loadTfjsNetwork, type Network, runPipeline } from '../../inference/engines/tfjs-model.ts';
import type { ModelVersion } from '../../model/model-version.ts';
import { generaliseTraces, type TracedGraph } from './batch-dimension.ts';
import { Recorder, type Trace } from './recorder.ts';

/** Two batch sizes, so that everything that depends on the batch size differs. */
const batches = [2, 3] as const;

/**
 * Traces a tfjs model from uint8 `images` to float32 `scores`, and `map` if it has one, by running it and recording every
 * operation.
 * @param files the model's files by name
 * @throws CompileRefusal if a graph can't be equivalent; Error if the model itself is broken
 */
export async function traceNetwork(
  tf: TensorFlow,
  model: ModelVersion,
  files: ReadonlyMap<string, Buffer>,
): Promise<TracedGraph> {
  const backend = getNodeBackend(tf);
  const { binding } = backend;
  const recorder = new Recorder(binding);
  // Installed before the model is loaded, to record the shapes of its weights.
  backend.binding = recorder.binding;
  try {
    const network = await loadTfjsNetwork(model, files);
    try {
      const [small, large] = batches.map((batch) => recordRun(tf, recorder, model, network, batch));
      if (!small || !large) throw new Error('nothing was traced');
      return generaliseTraces(small, large, model.manifest.input);
    } finally {
      network.dispose();
    }
  } finally {
    backend.binding = binding;
  }
}

function recordRun(tf: TensorFlow, recorder: Recorder, model: ModelVersion, network: Network, batch: number): Trace {
  const { input, output } = model.manifest;
  const backend = getNodeBackend(tf);
  const shape: [number, number, number, number] = [batch, input.height, input.width, 3];
  const values = new Int32Array(batch * input.height * input.width * 3).map((_, index) => (index * 7) % 256);
  tf.engine().startScope();
  try {
    const pixels: Tensor4D = tf.tensor4d(values, shape, 'int32');
    // Uploads the pixels to the native library, so that they can only be read through the recorder.
    const [images] = backend.getInputTensorIds([pixels]);
    if (images === undefined) throw new Error('the pixels have no tensor');
    return recorder.record(batch, images, () => {
      const outputs = runPipeline(model, network, pixels, true);
      assertScores(outputs.scores.shape, batch, output.labels.length);
      if (outputs.map) assertMaps(outputs.map.shape, batch, output);
      const ids = backend.getInputTensorIds(Object.values(outputs));
      return Object.fromEntries(Object.keys(outputs).map((name, index) => [name, ids[index] ?? NaN]));
    });
  } finally {
    tf.engine().endScope();
  }
}
