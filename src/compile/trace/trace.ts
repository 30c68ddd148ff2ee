import type { Tensor4D } from '@tensorflow/tfjs-core';
import { assertMaps, assertScores } from '../../inference/engines/outputs.ts';
import type { TensorFlow } from '../../inference/engines/tensorflow.ts';
import { getNodeBackend } from '../../inference/engines/tensorflow-binding.ts';
import { loadTfjsNetwork, type Network, runPipeline } from '../../inference/engines/tfjs-model.ts';
import type { ModelVersion } from '../../model/model-version.ts';
import { generaliseTraces, type TracedGraph } from './batch-dimension.ts';
import { Recorder, type Trace } from './recorder.ts';

/** What follows the batch differs between these. */
const batches = [2, 3] as const;

/**
 * Traces a tfjs model's whole way from uint8 `images` to float32 `scores`, and `map` where it has one, by running it
 * while every operation is written down.
 * @param files the model's files by their names in the manifest
 * @throws CompileRefusal where a graph would not be the same; Error where the model itself is broken.
 */
export async function traceNetwork(
  tf: TensorFlow,
  model: ModelVersion,
  files: ReadonlyMap<string, Buffer>,
): Promise<TracedGraph> {
  const backend = getNodeBackend(tf);
  const { binding } = backend;
  const recorder = new Recorder(binding);
  // Before the model is loaded, so that the shapes of its weights are seen.
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
    // Brings the pixels to the native library, so that nobody can read them past the recorder.
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
