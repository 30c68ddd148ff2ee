import { type Call, isReference, listReferences, type Reference, toCalls } from './calls.ts';
import { isObject, type JsonObject, toList } from './json-object.ts';
import {
  isModel,
  isOperation,
  type KerasFormat,
  type KerasLayer,
  refuseLayer,
  type TfjsLayer,
  toKerasLayer,
} from './keras-layer.ts';
import { isIdentity, toIdentity, toTfjsLayer, withShape } from './layer-config.ts';
import { toOperation } from './operations.ts';

/** A layer of a functional network with its inputs, calls counted as in the file. */
interface PlacedLayer {
  readonly source: KerasLayer;
  readonly layer: TfjsLayer;
  readonly calls: readonly { readonly inputs: readonly Reference[]; readonly isTraining: boolean }[];
}

/**
 * Converts the topology of a layers model of Keras 2, Keras 3 or tfjs to tfjs's form.
 * @throws Error that names a layer that tfjs can't compute, or whose input is missing
 */
export function toTfjsTopology(topology: JsonObject, hasLayer: KerasFormat['hasLayer']): JsonObject {
  const model = isObject(topology['model_config']) ? topology['model_config'] : topology;
  const isKeras3 = String(topology['keras_version']).startsWith('3') || /"batch_shape"/.test(JSON.stringify(model));
  const source = toKerasLayer(model);
  // tfjs reports what is missing.
  return isModel(source) ? toModel(source, { isKeras3, hasLayer }) : model;
}

/** Converts a network, nested or not. */
function toModel(source: KerasLayer, format: KerasFormat): TfjsLayer & JsonObject {
  const { className, name, config } = source;
  const sources = toList(config['layers']).map(toKerasLayer);
  if (className === 'Sequential') {
    const layers = toSequence(sources, source, format);
    return { class_name: className, name, config: { name, layers } };
  }
  const placed = sources.map((each) => toPlaced(each, format));
  const graph = new Map(placed.map((each) => [each.source.name, each]));
  const layers = placed.map(({ layer, calls }) => ({
    ...layer,
    inbound_nodes: calls.map(({ inputs, isTraining }) =>
      inputs.map((input) => [...toTfjsReference(graph, input, format, 'call'), isTraining ? { training: true } : {}]),
    ),
  }));
  assertComputable(layers);
  const toEnds = (ends: unknown): Reference[] =>
    listReferences(ends).map((end) => toTfjsReference(graph, end, format, 'end'));
  const ends = { input_layers: toEnds(config['input_layers']), output_layers: toEnds(config['output_layers']) };
  return { class_name: 'Functional', name, config: { name, layers, ...ends } };
}

function toSequence(sources: readonly KerasLayer[], { buildShape }: KerasLayer, format: KerasFormat): TfjsLayer[] {
  const layers = sources.map((source) => toLayer(source, format));
  const [first, ...others] = layers;
  const hasShape = ['batch_input_shape', 'input_shape', 'layers'].some((key) => first && key in first.config);
  if (!first || hasShape) return layers;
  return [{ ...first, config: { ...first.config, ...withShape(sources[0]?.buildShape ?? buildShape) } }, ...others];
}

function toLayer(source: KerasLayer, format: KerasFormat): TfjsLayer {
  if (isOperation(source)) return refuseLayer(source, 'is an operation outside of a graph');
  if (!isModel(source)) return toTfjsLayer(source, format);
  const layers = toList(source.config['layers']).map(toKerasLayer);
  const input = layers.find(({ className }) => className === 'InputLayer');
  const { batch_shape: shape, batch_input_shape: oldShape } = input?.config ?? {};
  // Usually augmentation as a nested network, which tfjs might fail to build.
  if (layers.every((each) => each === input || isIdentity(each))) return toIdentity(source.name, shape ?? oldShape);
  return toModel(source, format);
}

function toPlaced(source: KerasLayer, format: KerasFormat): PlacedLayer {
  if (isOperation(source)) {
    const { layer, inputs } = toOperation(source, toCalls(source));
    return { source, layer, calls: [{ inputs, isTraining: false }] };
  }
  // First, so that the error for an unknown layer says so instead of naming its call.
  const layer = toLayer(source, format);
  return { source, layer, calls: toCalls(source).map((call) => toLayerCall(source, call)) };
}

function toLayerCall(source: KerasLayer, { operands, isTraining }: Call): PlacedLayer['calls'][number] {
  const inputs = operands.filter(isReference);
  if (inputs.length < operands.length) refuseLayer(source, 'is called with more than tensors');
  return { inputs, isTraining };
}

/**
 * Converts the index of a call. In tfjs and Keras 2 a nested network has one extra call, from when it was built. Keras 3 counts
 * that call in the inputs and outputs of the outer network unless the nested one is Sequential, but not between layers.
 */
function toTfjsReference(
  graph: ReadonlyMap<string, PlacedLayer>,
  [name, call, output]: Reference,
  { isKeras3 }: KerasFormat,
  where: 'call' | 'end',
): Reference {
  const placed = graph.get(name);
  if (!placed) throw new Error(`the layer ${name} is named as an input or output, but it is not there`);
  const { source, layer, calls } = placed;
  const own = 'layers' in layer.config ? 1 : 0;
  if (!isModel(source) || calls.length === 0) return [name, call, output];
  if (calls.length === 1) return [name, own, output];
  const isCounted = !isKeras3 || (where === 'end' && source.className !== 'Sequential');
  return [name, call - (isCounted ? 1 : 0) + own, output];
}

/** tfjs hangs while loading a layer whose input is missing. @throws Error that names the layer */
function assertComputable(layers: readonly (TfjsLayer & { readonly inbound_nodes: readonly unknown[][] })[]): void {
  const isFirst = ({ class_name, config }: TfjsLayer): boolean => class_name === 'InputLayer' || 'layers' in config;
  const made = new Map(layers.map((layer) => [layer.name, isFirst(layer) ? 1 : 0]));
  let pending = layers.flatMap(({ name, inbound_nodes: nodes }) => nodes.map((inputs) => ({ name, inputs })));
  for (let before = Infinity; pending.length < before;) {
    before = pending.length;
    pending = pending.filter(({ name, inputs }) => {
      const isReady = inputs.every((input) => {
        const [from, call] = toList(input);
        return Number(call) < (made.get(String(from)) ?? 0);
      });
      if (isReady) made.set(name, (made.get(name) ?? 0) + 1);
      return !isReady;
    });
  }
  const [stuck] = pending;
  if (stuck) throw new Error(`the layer ${stuck.name} never gets its input: a layer is missing, or they form a circle`);
}
