import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { toMessage } from '../../../errors.ts';
import { toObject } from './json-object.ts';
import { wayOut } from './keras-layer.ts';
import { hasLayer } from './own-layers.ts';
import { toTfjsTopology } from './topology.ts';
import { toTfjsWeights } from './weight-names.ts';

/**
 * Loads a layers model of Keras 2, Keras 3 or tfjs onto the current backend, without its training configuration.
 * @throws Error that names a layer that can't be served
 */
export function loadLayersNetwork(artifacts: tf.io.ModelArtifacts): Promise<layers.LayersModel> {
  const { weightSpecs, weightData } = artifacts;
  const topology = toObject(artifacts.modelTopology);
  const loadable: tf.io.ModelArtifacts = {
    modelTopology: toTfjsTopology(topology, hasLayer),
    ...(weightSpecs && { weightSpecs: toTfjsWeights(weightSpecs, topology) }),
    ...(weightData && { weightData }),
  };
  return layers.loadLayersModel(tf.io.fromMemory(loadable)).catch(explainWeights);
}

/** Explains missing weights: the converter loses those of layers with slashes in their names. */
function explainWeights(thrown: unknown): never {
  const reason = toMessage(thrown);
  if (!/weights are not set|has no target variable/.test(reason)) throw thrown;
  const short = reason.length > 200 ? `${reason.slice(0, 200)}…` : reason;
  throw new Error(`the weights are not those of the layers: ${short}; ${wayOut}`, { cause: thrown });
}
