import * as converter from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import type { ModelForm } from '../../ipc/messages.ts';
import type { Manifest } from '../../model/manifest.ts';
import type { ModelVersion } from '../../model/model-version.ts';
import type { Explained, LoadedModel } from './engine.ts';
import { loadLayersNetwork } from './keras/load-layers.ts';
import { lumaWeights } from './luma.ts';
import { assertMaps, assertScores, chooseOutputs, type ChosenOutputs } from './outputs.ts';

/** Outputs of a network, with the map if requested. A type, as tidy() accepts no interface. */
export type NetworkOutputs = { readonly scores: tf.Tensor; readonly map?: tf.Tensor };

/** A network on the current backend: maps a batch of floats to outputs before the activation. */
export interface Network {
  /** @param wantsMap whether to compute the map as well */
  predict(batch: tf.Tensor4D, wantsMap: boolean): NetworkOutputs;
  dispose(): void;
}

/** Loads a tfjs graph or layers model from memory onto the current backend. */
export async function loadTfjsModel(model: ModelVersion, files: ReadonlyMap<string, Buffer>): Promise<LoadedModel> {
  return createRunner(model, await loadTfjsNetwork(model, files), 'op-by-op');
}

/** Loads the network alone, without the manifest's normalisation and activation. @throws Error for a SavedModel */
export async function loadTfjsNetwork(model: ModelVersion, files: ReadonlyMap<string, Buffer>): Promise<Network> {
  const { format, output } = model.manifest;
  switch (format) {
    case 'tfjs-layers':
      return toLayersNetwork(await loadLayersNetwork(toArtifacts(files)), output);
    case 'tfjs-graph':
      return toGraphNetwork(await converter.loadGraphModel(tf.io.fromMemory(toArtifacts(files))), output);
    case 'tf-savedmodel':
      throw new Error('tfjs loads no SavedModel');
  }
}

/** Creates a function that runs the part of a network needed for the named outputs and returns them in that order. */
type FetchMaker = (...names: string[]) => (batch: tf.Tensor4D) => tf.Tensor[];

/** Creates a network from a function that fetches its outputs. */
export function createNetwork({ scores, map }: ChosenOutputs, toFetch: FetchMaker, dispose: () => void): Network {
  const fetchScores = toFetch(scores);
  const fetchBoth = map === undefined ? fetchScores : toFetch(scores, map);
  return {
    predict(batch, wantsMap) {
      const [first, second] = wantsMap ? fetchBoth(batch) : fetchScores(batch);
      if (!first) throw new Error('the model has no output');
      return { scores: first, ...(second && { map: second }) };
    },
    dispose,
  };
}

/** The outputs of a layers model are named by number; a single one matches any name. */
function toLayersNetwork(network: layers.LayersModel, output: Manifest['output']): Network {
  const { inputs, outputs } = network;
  const isSingle = outputs.length === 1;
  const names = isSingle ? [output.tensor ?? '0'] : outputs.map((_, index) => String(index));
  const toFetch: FetchMaker = (...wanted) => {
    const chosen = wanted.flatMap((name) => outputs[names.indexOf(name)] ?? []);
    // Shares the layers of the network.
    const part = isSingle ? network : layers.model({ inputs, outputs: chosen });
    // predict() would split the batch into slices of 32 and concatenate the results.
    return (batch) => [part.predictOnBatch(batch)].flat();
  };
  return createNetwork(chooseOutputs(names, output), toFetch, () => {
    network.dispose();
  });
}

/** Any node of a graph model can be named as an output. */
function toGraphNetwork(network: converter.GraphModel, output: Manifest['output']): Network {
  const named = [output.tensor ?? [], output.map?.tensor ?? []].flat();
  const names = [...new Set([...network.outputNodes, ...named])];
  const toFetch: FetchMaker =
    (...wanted) =>
    (batch) =>
      [network.execute(batch, wanted)].flat();
  return createNetwork(chooseOutputs(names, output), toFetch, () => {
    network.dispose();
  });
}

/** Runs a batch from int32 pixels `[n, height, width, 3]` to scores, including normalisation and activation. */
export function runPipeline(
  { manifest: { input, output } }: ModelVersion,
  network: Network,
  pixels: tf.Tensor4D,
  wantsMap: boolean,
): NetworkOutputs {
  const { scores, map } = network.predict(normalise(pixels, input), wantsMap);
  const { activation } = output;
  return { scores: activate(scores, activation), ...(map && { map: activate(map, activation) }) };
}

/** Adds the manifest's normalisation and activation to a network. */
export function createRunner(model: ModelVersion, network: Network, form: ModelForm): LoadedModel {
  const { input, output } = model.manifest;
  const infer = async (batch: Uint8Array, count: number, wantsMap: boolean): Promise<Explained> => {
    const { scores, map } = tf.tidy(() => {
      const pixels = tf.tensor4d(batch, [count, input.height, input.width, 3], 'int32');
      return runPipeline(model, network, pixels, wantsMap);
    });
    try {
      assertScores(scores.shape, count, output.labels.length);
      if (wantsMap) assertMaps(map?.shape ?? [], count, output);
      return { scores: await scores.data<'float32'>(), maps: (await map?.data<'float32'>()) ?? new Float32Array() };
    } finally {
      tf.dispose({ scores, map });
    }
  };
  return {
    form,
    usefulBatch: undefined,
    run: async (batch, count) => (await infer(batch, count, false)).scores,
    ...(output.map && { explain: (batch: Uint8Array, count: number) => infer(batch, count, true) }),
    dispose() {
      network.dispose();
    },
  };
}

function normalise(pixels: tf.Tensor4D, input: Manifest['input']): tf.Tensor4D {
  const { scale, offset } = input.normalise;
  const ordered = input.colour === 'bgr' ? tf.reverse4d(pixels, -1) : pixels;
  const floats: tf.Tensor4D = tf.cast(ordered, 'float32');
  const values = input.colour === 'grey' ? toLuma(floats) : floats;
  return tf.add(tf.mul(values, tf.tensor(scale)), tf.tensor(offset));
}

/** One channel, rounded to integers. */
function toLuma(pixels: tf.Tensor4D): tf.Tensor4D {
  const luma = tf.sum<tf.Tensor4D>(tf.mul(pixels, tf.tensor(lumaWeights)), -1, true);
  return tf.floor(tf.add(luma, tf.scalar(0.5)));
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
