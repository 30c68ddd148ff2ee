import type { ModelVersion } from '../../model/model-version.ts';
import { loadCompiledModel } from './compiled-model.ts';
import type { Engine, LoadedModel } from './engine.ts';
import { loadTensorFlow, type TensorFlow } from './tensorflow.ts';
import { getTensorFlowVersion } from './tensorflow-binding.ts';
import { createRunner, loadTfjsModel, type Network, toSingle } from './tfjs-model.ts';

/** Starts native TensorFlow in this thread. */
export async function createTensorFlowEngine(): Promise<Engine> {
  const tf = await loadTensorFlow();
  await tf.setBackend('tensorflow');
  return {
    name: 'tensorflow',
    tensorflowVersion: getTensorFlowVersion(tf),
    loadModel: (model, files, artefactDir) =>
      artefactDir === undefined ? loadOriginalModel(tf, model, files) : loadCompiledModel(tf, model, artefactDir),
  };
}

/** Loads a model in the form that it came in: what an artefact is compared with, and what runs where there is none. */
export function loadOriginalModel(
  tf: TensorFlow,
  model: ModelVersion,
  files: ReadonlyMap<string, Buffer>,
): Promise<LoadedModel> {
  return model.manifest.format === 'tf-savedmodel' ? loadSavedModel(tf, model) : loadTfjsModel(model, files);
}

async function loadSavedModel(tf: TensorFlow, model: ModelVersion): Promise<LoadedModel> {
  const { input, output } = model.manifest;
  const session = await tf.node.loadSavedModel(model.dir, input.tags, input.signature);
  // tfjs-node itself turns what it is given into uint8 where the signature wants that, but not into int32.
  const isInt32 = session.inputs[0]?.tfDtype === 'DT_INT32';
  const network: Network = {
    predict(batch) {
      const wanted = isInt32 ? batch.toInt() : batch;
      return toSingle(session.predict(input.tensor === undefined ? wanted : { [input.tensor]: wanted }), output.tensor);
    },
    dispose() {
      session.dispose();
    },
  };
  return createRunner(model, network, 'saved-model');
}
