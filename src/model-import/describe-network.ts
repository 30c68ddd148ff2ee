import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import {
  dataType,
  decodeSavedModel,
  type MetaGraphProto,
  type SignatureProto,
  type TensorInfoProto,
} from '../compile/graph/proto.ts';
import { toMessage } from '../errors.ts';
import { toObject } from '../inference/engines/keras/json-object.ts';
import { loadLayersNetwork } from '../inference/engines/keras/load-layers.ts';
import { hasLayer } from '../inference/engines/keras/own-layers.ts';
import { toTfjsTopology } from '../inference/engines/keras/topology.ts';
import type { TensorFlow } from '../inference/engines/tensorflow.ts';
import type { Manifest } from '../model/manifest.ts';
import { findSavedScaling, findScalingNode, type GraphStep } from './graph-scaling.ts';
import { findScalingLayer } from './own-scaling.ts';

/** An input or output of a network; -1 in its shape is any size, undefined an unknown shape. */
export interface TensorFacts {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[] | undefined;
}

/** Inputs and outputs of a network. */
export interface NetworkFacts {
  readonly inputs: readonly TensorFacts[];
  readonly outputs: readonly TensorFacts[];
  /** The layer or operation with which the network scales 0…255 itself. */
  readonly scaling?: string | undefined;
  /** For SavedModels only. */
  readonly saved?: { readonly tags: string[]; readonly signature: string };
}

/** Chosen part of a SavedModel. */
export interface SavedModelChoice {
  readonly tags?: readonly string[] | undefined;
  readonly signature?: string | undefined;
}

/**
 * Describes inputs and outputs of the network in `dir`.
 * @throws Error that names the file and the fault
 */
export async function describeNetwork(
  tf: TensorFlow,
  dir: string,
  format: Manifest['format'],
  choice: SavedModelChoice,
): Promise<NetworkFacts> {
  switch (format) {
    case 'tf-savedmodel':
      return describeSavedModel(dir, choice);
    case 'tfjs-graph':
      return describeTfjs(tf, dir, (handler) => describeGraph(tf, handler));
    case 'tfjs-layers':
      return describeTfjs(tf, dir, describeLayers);
  }
}

type Handler = ReturnType<TensorFlow['io']['fileSystem']>;

/** Uses the same loader as the engines, to reject what they can't load. */
async function describeTfjs(
  tf: TensorFlow,
  dir: string,
  describe: (handler: Handler) => Promise<NetworkFacts>,
): Promise<NetworkFacts> {
  try {
    return await describe(tf.io.fileSystem(path.join(dir, 'model.json')));
  } catch (thrown) {
    throw new Error(`model.json: ${toMessage(thrown)}`, { cause: thrown });
  }
}

async function describeLayers(handler: Handler): Promise<NetworkFacts> {
  const artifacts = await handler.load();
  const network = await loadLayersNetwork(artifacts);
  try {
    const isSingle = network.outputs.length === 1;
    return {
      inputs: network.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape: toSizes(shape) })),
      // Named by number, as in the engines.
      outputs: network.outputs.map(({ name, dtype, shape }, index) => ({
        name: isSingle ? name : String(index),
        dtype,
        shape: toSizes(shape),
      })),
      scaling: findScalingLayer(toTfjsTopology(toObject(artifacts.modelTopology), hasLayer), (name) =>
        readWeights(network, name),
      ),
    };
  } finally {
    network.dispose();
  }
}

/** @returns an empty list if the network and its nested networks have no such layer */
function readWeights({ layers }: Pick<LayersModel, 'layers'>, name: string): number[][] {
  return layers.flatMap((layer) => {
    if ('layers' in layer) return readWeights(layer as LayersModel, name);
    return layer.name === name ? layer.getWeights().map((weight) => [...weight.dataSync()]) : [];
  });
}

async function describeGraph(tf: TensorFlow, handler: Handler): Promise<NetworkFacts> {
  const artifacts = await handler.load();
  const network = await tf.loadGraphModel(tf.io.fromMemory(artifacts));
  try {
    const toFacts = ({ name, dtype, shape }: (typeof network.inputs)[number]): TensorFacts => {
      return { name, dtype, shape: shape && toSizes(shape) };
    };
    const steps = (artifacts.modelTopology as { readonly node?: readonly GraphStep[] } | undefined)?.node ?? [];
    const scaling = findScalingNode(steps, network.inputs[0]?.name ?? '', (name) =>
      readSmall(network.weights[name]?.[0]),
    );
    return { inputs: network.inputs.map(toFacts), outputs: network.outputs.map(toFacts), scaling };
  } finally {
    network.dispose();
  }
}

function readSmall(tensor: Tensor | undefined): number[] | undefined {
  return tensor && tensor.size <= 4 ? [...tensor.dataSync()] : undefined;
}

/** @param shape null for any size, contrary to tfjs's types */
function toSizes(shape: readonly (number | null)[]): number[] {
  return shape.map((size) => size ?? -1);
}

async function describeSavedModel(dir: string, choice: SavedModelChoice): Promise<NetworkFacts> {
  const bytes = await readFile(path.join(dir, 'saved_model.pb'));
  let metaGraphs: readonly MetaGraphProto[];
  try {
    ({ metaGraphs } = decodeSavedModel(bytes));
  } catch (thrown) {
    throw new Error(`saved_model.pb: is damaged: ${toMessage(thrown)}`, { cause: thrown });
  }
  const metaGraph = chooseMetaGraph(metaGraphs, choice.tags);
  await assertVariables(dir, metaGraph);
  const [signature, { inputs, outputs }] = chooseSignature(metaGraph, choice.signature);
  return {
    inputs: toTensorFacts(inputs),
    outputs: toTensorFacts(outputs),
    scaling: findSavedScaling(metaGraph, { inputs, outputs }),
    saved: { tags: metaGraph.metaInfoDef.tags, signature },
  };
}

/** TensorFlow loads a model without its variables folder, and only fails in a run. */
async function assertVariables(dir: string, { graphDef }: MetaGraphProto): Promise<void> {
  const hasVariables = graphDef.node.some(({ op }) => op === 'VarHandleOp' || op === 'VariableV2');
  const index = path.join('variables', 'variables.index');
  const isThere = await access(path.join(dir, index)).then(
    () => true,
    () => false,
  );
  if (hasVariables && !isThere) throw new Error(`${index}: is missing, but saved_model.pb has variables`);
}

function chooseMetaGraph(metaGraphs: readonly MetaGraphProto[], tags: readonly string[] | undefined): MetaGraphProto {
  const [only] = metaGraphs;
  if (!only) throw new Error('saved_model.pb: holds no graph');
  const toKey = (names: readonly string[]): string => [...names].sort().join(',');
  const wanted = tags ?? (metaGraphs.length > 1 ? ['serve'] : only.metaInfoDef.tags);
  const found = metaGraphs.find(({ metaInfoDef }) => toKey(metaInfoDef.tags) === toKey(wanted));
  if (found) return found;
  const known = metaGraphs.map(({ metaInfoDef }) => toKey(metaInfoDef.tags)).join(' | ');
  throw new Error(`saved_model.pb: has no graph with the tags ${toKey(wanted)}; there are: ${known}`);
}

function chooseSignature({ signatureDef }: MetaGraphProto, name: string | undefined): [string, SignatureProto] {
  // Others are internal, for initialisation and training.
  const usable = Object.entries(signatureDef).filter(([key]) => !key.startsWith('__'));
  const wanted = name ?? (usable.length === 1 ? usable[0]?.[0] : 'serving_default');
  const found = usable.find(([key]) => key === wanted);
  if (found) return found;
  const known = usable.map(([key]) => key).join(', ');
  throw new Error(`saved_model.pb: has no signature ${String(wanted)}; there are: ${known || 'none'}`);
}

function toTensorFacts(tensors: Readonly<Record<string, TensorInfoProto>>): TensorFacts[] {
  const types = new Map<number, string>(Object.entries(dataType).map(([type, number]) => [number, type]));
  return Object.entries(tensors).map(([name, { dtype, tensorShape }]) => ({
    name,
    dtype: (types.get(dtype) ?? `type ${String(dtype)}`).replace(/^float$/, 'float32'),
    shape: toKnownShape(tensorShape),
  }));
}

/** @param shape null in some hand-made or damaged files */
function toKnownShape(shape: TensorInfoProto['tensorShape'] | null | undefined): number[] | undefined {
  return shape && shape.unknownRank !== true ? shape.dim.map(({ size }) => size) : undefined;
}
