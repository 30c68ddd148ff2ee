import * as converter from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import type { Manifest } from '../../model/manifest.ts';
import type { ModelVersion } from '../../model/model-version.ts';
import type { LoadedModel } from './engine.ts';
import type { ModelForm } from '../../ipc/messages.ts';

/** A network on the backend that is set: maps a batch of floats to scores before the activation. */
export interface Network {
  predict(batch: tf.Tensor4D): tf.Tensor;
  dispose(): void;
}

/** Loads a tfjs graph or layers model from memory onto the backend that is set. */
export async function loadTfjsModel(model: ModelVersion, files: ReadonlyMap<string, Buffer>): Promise<LoadedModel> {
  return createRunner(model, await loadTfjsNetwork(model, files), 'op-by-op');
}

/** Loads the network alone, without the manifest's normalisation and activation. */
export async function loadTfjsNetwork(model: ModelVersion, files: ReadonlyMap<string, Buffer>): Promise<Network> {
  const handler = tf.io.fromMemory(toArtifacts(files));
  const { format, output } = model.manifest;
  if (format === 'tfjs-layers') {
    const network = await layers.loadLayersModel(handler);
    return {
      // predict() would cut the batch into slices of 32 and join them again.
      predict: (batch) => toSingle(network.predictOnBatch(batch), output.tensor),
      dispose() {
        network.dispose();
      },
    };
  }
  const network = await converter.loadGraphModel(handler);
  const run = (batch: tf.Tensor4D): tf.Tensor | tf.Tensor[] | tf.NamedTensorMap =>
    output.tensor === undefined ? network.predict(batch) : network.execute(batch, output.tensor);
  return {
    predict: (batch) => toSingle(run(batch), output.tensor),
    dispose() {
      network.dispose();
    },
  };
}

/** Runs the whole way of a batch: int32 pixels `[n, height, width, 3]` to scores, with normalisation and activation. */
export function runPipeline(model: ModelVersion, network: Network, pixels: tf.Tensor4D): tf.Tensor {
  const { input, output } = model.manifest;
  return activate(network.predict(normalise(pixels, input)), output.activation);
}

/** Wraps a network in the manifest's normalisation and activation. */
export function createRunner(model: ModelVersion, network: Network, form: ModelForm): LoadedModel {
  const { input, output } = model.manifest;
  return {
    form,
    usefulBatch: undefined,
    async run(batch, count) {
      const scores = tf.tidy(() => {
        const pixels = tf.tensor4d(batch, [count, input.height, input.width, 3], 'int32');
        return runPipeline(model, network, pixels);
      });
      try {
        assertScores(scores.shape, count, output.labels.length);
        return await scores.data<'float32'>();
      } finally {
        scores.dispose();
      }
    },
    dispose() {
      network.dispose();
    },
  };
}

/** @throws Error where a model has several outputs and the manifest names none of them. */
export function toSingle(outputs: tf.Tensor | tf.Tensor[] | tf.NamedTensorMap, name: string | undefined): tf.Tensor {
  if (outputs instanceof tf.Tensor) return outputs;
  const named: tf.NamedTensorMap = Array.isArray(outputs) ? Object.fromEntries(outputs.entries()) : outputs;
  const names = Object.keys(named);
  const chosen = name ?? (names.length === 1 ? names[0] : undefined);
  const tensor = chosen === undefined ? undefined : named[chosen];
  if (tensor) return tensor;
  throw new Error(`the model has the outputs ${names.join(', ')}; output.tensor in the manifest must name one`);
}

/** @throws Error where a model's answer has another shape than the manifest's labels. */
export function assertScores(shape: readonly number[], count: number, labels: number): void {
  const [rows, columns] = shape;
  if (shape.length === 2 && rows === count && columns === labels) return;
  const found = shape.join(', ');
  throw new Error(
    `the model answers [${found}], the manifest names ${String(labels)} labels for ${String(count)} images`,
  );
}

function normalise(pixels: tf.Tensor4D, input: Manifest['input']): tf.Tensor4D {
  const { scale, offset } = input.normalise;
  const ordered = input.colour === 'bgr' ? tf.reverse4d(pixels, -1) : pixels;
  return tf.add(tf.mul(tf.cast(ordered, 'float32'), tf.tensor(scale)), tf.tensor(offset));
}

function activate(scores: tf.Tensor, activation: Manifest['output']['activation']): tf.Tensor {
  if (activation === 'sigmoid') return tf.sigmoid(scores);
  return activation === 'softmax' ? tf.softmax(scores) : scores;
}

function toArtifacts(files: ReadonlyMap<string, Buffer>): tf.io.ModelArtifacts {
  const json = files.get('model.json');
  if (!json) throw new Error('model.json is not among the files of the manifest');
  const model = JSON.parse(json.toString('utf8')) as tf.io.ModelJSON;
  const shards = model.weightsManifest.flatMap((group) => group.paths);
  const weights = shards.map((shard) => {
    const bytes = files.get(shard);
    if (!bytes) throw new Error(`${shard}: model.json names it, the manifest does not`);
    return bytes;
  });
  const joined = Buffer.concat(weights);
  const weightData = joined.buffer.slice(joined.byteOffset, joined.byteOffset + joined.byteLength);
  const specs = model.weightsManifest.flatMap((group) => group.weights);
  return tf.io.getModelArtifactsForJSONSync(model, specs, weightData);
}
