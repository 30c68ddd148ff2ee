import type { ModelVersion } from '../../model/model-version.ts';
import { loadCompiledModel } from './compiled-model.ts';
import type { Engine, LoadedModel } from './engine.ts';
import { loadBinding, loadTensorFlow } from './tensorflow.ts';

/** Starts native TensorFlow in this thread; the rest of tfjs-node is loaded with the first model that is not compiled. */
export function createTensorFlowEngine(): Engine {
  return {
    name: 'tensorflow',
    tensorflowVersion: loadBinding().TF_Version,
    loadModel: (model, files, artefactDir) =>
      artefactDir === undefined ? loadOperations(model, files) : loadCompiledModel(model, artefactDir),
  };
}

async function loadOperations(model: ModelVersion, files: ReadonlyMap<string, Buffer>): Promise<LoadedModel> {
  const { loadOriginalModel } = await import('./original-model.ts');
  const tf = loadTensorFlow();
  await tf.setBackend('tensorflow');
  return loadOriginalModel(tf, model, files);
}
