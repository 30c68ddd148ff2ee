import type { ModelTensorInfo } from '@tensorflow/tfjs-core';
import type { ModelVersion } from '../../model/model-version.ts';
import type { LoadedModel } from './engine.ts';
import { chooseOutputs } from './outputs.ts';
import type { TensorFlow } from './tensorflow.ts';
import { getNodeBackend } from './tensorflow-binding.ts';
import { createNetwork, createRunner, loadTfjsModel } from './tfjs-model.ts';

/** Loads a model in its original form: the reference for its artefact, and the fallback without one. */
export function loadOriginalModel(
  tf: TensorFlow,
  model: ModelVersion,
  files: ReadonlyMap<string, Buffer>,
): Promise<LoadedModel> {
  switch (model.manifest.format) {
    case 'tf-savedmodel':
      return loadSavedModel(tf, model);
    case 'tfjs-graph':
    case 'tfjs-layers':
      return loadTfjsModel(model, files);
  }
}

/** Private fields of tfjs-node's SavedModel, needed because its predict() runs every output of the signature. */
interface SavedModelParts {
  readonly sessionId: number;
  readonly signature: {
    readonly inputs: Readonly<Record<string, ModelTensorInfo>>;
    readonly outputs: Readonly<Record<string, ModelTensorInfo>>;
  };
}

async function loadSavedModel(tf: TensorFlow, model: ModelVersion): Promise<LoadedModel> {
  const { input, output } = model.manifest;
  const session = await tf.node.loadSavedModel(model.dir, input.tags, input.signature);
  const { sessionId, signature } = session as unknown as SavedModelParts;
  const backend = getNodeBackend(tf);
  const wanted = chooseInput(signature.inputs, input.tensor);
  // tfjs-node converts inputs to uint8 if the signature requires it, but not to int32.
  const isInt32 = wanted.tfDtype === 'DT_INT32';
  const network = createNetwork(
    chooseOutputs(Object.keys(signature.outputs), output),
    (...names) => {
      const nodes = names.map((name) => signature.outputs[name]?.name ?? name);
      return (batch) => backend.runSavedModel(sessionId, [isInt32 ? batch.toInt() : batch], [wanted], nodes);
    },
    () => {
      session.dispose();
    },
  );
  return createRunner(model, network, 'saved-model');
}

function chooseInput(inputs: SavedModelParts['signature']['inputs'], name: string | undefined): ModelTensorInfo {
  const names = Object.keys(inputs);
  const chosen = inputs[name ?? names[0] ?? ''];
  if (chosen && names.length === 1) return chosen;
  const wanted = name === undefined ? '' : `, the manifest names ${name}`;
  throw new Error(`the model has the inputs ${names.join(', ')}${wanted}; only models with one are served`);
}
