import type * as tf from '@tensorflow/tfjs-core';
import { isObject, toList } from './json-object.ts';
import { isModel, type KerasLayer, toKerasLayer } from './keras-layer.ts';
import { isIdentity } from './layer-config.ts';

type WeightSpec = tf.io.WeightsManifestEntry;

/**
 * Converts names of weights to tfjs's `layer/weight`: Keras 3 prefixes the enclosing networks and names a few weights
 * differently.
 * @param topology as in the file
 */
export function toTfjsWeights(specs: readonly WeightSpec[], topology: unknown): WeightSpec[] {
  const all = listLayers(topology);
  const layers = new Map(all.map((layer) => [layer.name, layer]));
  return addLayerNames(specs, all).map((spec) => {
    const tokens = spec.name.split('/').filter((token) => token !== 'vars');
    const weight = tokens.at(-1) ?? '';
    const { layer, start } = findOwner(layers, tokens);
    if (isUnused(layer, weight)) return { ...spec, group: 'optimizer' };
    const isDepthwise = layer?.className === 'DepthwiseConv2D' && weight === 'kernel';
    const own = tokens.slice(start, -1);
    return layer ? { ...spec, name: [...own, isDepthwise ? 'depthwise_kernel' : weight].join('/') } : spec;
  });
}

/** The first versions of Keras 3 omit the layer: weights are in the order of their layers' names. */
function addLayerNames(specs: readonly WeightSpec[], layers: readonly KerasLayer[]): readonly WeightSpec[] {
  if (specs.length === 0 || specs.some(({ name }) => name.includes('/'))) return specs;
  const sorted = [...layers].sort((one, other) => (one.name < other.name ? -1 : 1));
  const places = sorted.flatMap((layer) => listWeights(layer).map((weight) => ({ weight, layer: layer.name })));
  const isSame = places.length === specs.length && places.every(({ weight }, at) => weight === specs[at]?.name);
  return isSame ? specs.map((spec, at) => ({ ...spec, name: `${String(places[at]?.layer)}/${spec.name}` })) : specs;
}

const weightsOf: Readonly<Record<string, readonly string[]>> = {
  Dense: ['kernel', 'bias'],
  Conv2D: ['kernel', 'bias'],
  DepthwiseConv2D: ['kernel', 'bias'],
  SeparableConv2D: ['depthwise_kernel', 'pointwise_kernel', 'bias'],
  BatchNormalization: ['gamma', 'beta', 'moving_mean', 'moving_variance'],
  LayerNormalization: ['gamma', 'beta'],
  Normalization: ['mean', 'variance', 'count'],
  PReLU: ['alpha'],
};

/** Lists the weights of a layer in Keras's order. */
function listWeights({ className, config }: KerasLayer): readonly string[] {
  const { use_bias: hasBias, scale: hasGamma, center: hasBeta } = config;
  return (weightsOf[className] ?? []).filter((name) => {
    if (name === 'bias') return hasBias !== false;
    return name === 'gamma' ? hasGamma !== false : name !== 'beta' || hasBeta !== false;
  });
}

/** Training-only weights, which tfjs lacks; it ignores the group of the optimizer. */
function isUnused(layer: KerasLayer | undefined, weight: string): boolean {
  if (weight === 'seed_generator_state') return true;
  return layer !== undefined && (isIdentity(layer) || (layer.className === 'Normalization' && weight === 'count'));
}

/** Layer names may contain slashes; the layer whose name ends closest to the weight's owns it. */
function findOwner(
  layers: ReadonlyMap<string, KerasLayer>,
  tokens: readonly string[],
): { readonly layer?: KerasLayer; readonly start: number } {
  for (let end = tokens.length - 1; end > 0; end -= 1) {
    for (let start = 0; start < end; start += 1) {
      const layer = layers.get(tokens.slice(start, end).join('/'));
      if (layer) return { layer, start };
    }
  }
  return { start: 0 };
}

/** Lists the layers of a network and its nested networks, without the networks. */
function listLayers(model: unknown): KerasLayer[] {
  const topology = isObject(model) && isObject(model['model_config']) ? model['model_config'] : model;
  return toList(toKerasLayer(topology).config['layers']).flatMap((raw) => {
    const layer = toKerasLayer(raw);
    return isModel(layer) ? listLayers(raw) : [layer];
  });
}
