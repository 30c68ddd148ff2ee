import { type Constant, toFloatConstant } from '../graph/constant.ts';
import type { EditableGraph } from '../graph/editable-graph.ts';
import { readText } from '../graph/op-attributes.ts';
import { dataType, type NodeProto } from '../graph/proto.ts';
import { type Convolution, toConvolution } from './convolution.ts';

/** An operation per channel: x · scale + offset. */
interface Affine {
  readonly scale: Float64Array;
  readonly offset: Float64Array;
}

/** Folds biases, per-channel products and batch norm after a convolution into its weights and one BiasAdd. */
export function foldAffine(graph: EditableGraph): void {
  for (const node of graph.nodes()) {
    const convolution = toConvolution(graph, node);
    if (convolution) foldChain(graph, convolution);
  }
}

function foldChain(graph: EditableGraph, convolution: Convolution): void {
  let last = convolution.node;
  let sum: Affine | undefined;
  const length = convolution.channels;
  for (;;) {
    const next = graph.onlyConsumer(last);
    const step = next && toAffine(graph, next, last, convolution);
    if (!step) break;
    sum = sum ? join(sum, step) : step;
    last = next;
  }
  if (!sum) return;
  const { node } = convolution;
  if (sum.scale.some((scale) => scale !== 1)) {
    const weights = graph.addConstant(node.name, scaleChannels(convolution, sum.scale));
    node.input = node.input.map((input, at) => (at === 1 ? weights : input));
  }
  // Keeps the name of the last node, which the rest of the graph uses.
  const bias = graph.addConstant(node.name, toFloatConstant(Float32Array.from(sum.offset), [length]));
  const attr = { T: { type: dataType.float }, data_format: { s: Buffer.from('NHWC') } };
  graph.set({ name: last.name, op: 'BiasAdd', input: [node.name, bias], attr });
}

function join(first: Affine, second: Affine): Affine {
  return {
    scale: first.scale.map((scale, channel) => scale * at(second.scale, channel)),
    offset: first.offset.map((offset, channel) => offset * at(second.scale, channel) + at(second.offset, channel)),
  };
}

function scaleChannels({ weights, channels }: Convolution, scale: Float64Array): Constant {
  const scaled = Float32Array.from(
    weights.values as Float32Array,
    (weight, index) => weight * at(scale, index % channels),
  );
  return toFloatConstant(scaled, weights.shape);
}

/** The affine operation of `node` on the channels of `from`; undefined if it does anything else. */
function toAffine(
  graph: EditableGraph,
  node: NodeProto,
  from: NodeProto,
  convolution: Convolution,
): Affine | undefined {
  const { channels } = convolution;
  if (node.input.some((input) => input.startsWith('^'))) return undefined;
  if (node.op.startsWith('FusedBatchNorm')) return toBatchNorm(graph, node, from, channels);
  const place = node.input.findIndex((input) => graph.producer(input) === from);
  const constant = graph.constant(node.input[1 - place]);
  // A constant of higher rank would raise the rank of the result.
  const rank = convolution.node.op === 'MatMul' ? 2 : 4;
  const values = (constant?.shape.length ?? 0) > rank ? undefined : toPerChannel(constant, channels);
  if (place < 0 || !values) return undefined;
  const one = new Float64Array(channels).fill(1);
  const zero = new Float64Array(channels);
  if (node.op === 'Mul') return { scale: values, offset: zero };
  if (node.op === 'AddV2') return { scale: one, offset: values };
  if (place !== 0) return undefined;
  if (node.op === 'BiasAdd') return isChannelsLast(node) ? { scale: one, offset: values } : undefined;
  return node.op === 'Sub' ? { scale: one, offset: values.map((value) => -value) } : undefined;
}

function toBatchNorm(graph: EditableGraph, node: NodeProto, from: NodeProto, channels: number): Affine | undefined {
  const [x, ...rest] = node.input;
  if (graph.producer(x) !== from || node.attr['is_training']?.b !== false || !isChannelsLast(node)) return undefined;
  // Its other outputs, for training only, are dropped.
  const isUsed = graph
    .nodes()
    .some(({ input }) => input.some((name) => name.startsWith(`${node.name}:`) && !name.endsWith(':0')));
  const [gamma, beta, mean, variance] = rest.map((input) => toPerChannel(graph.constant(input), channels));
  if (isUsed || !gamma || !beta || !mean || !variance) return undefined;
  const epsilon = node.attr['epsilon']?.f ?? 1e-4;
  const scale = gamma.map((value, channel) => value / Math.sqrt(at(variance, channel) + epsilon));
  return { scale, offset: beta.map((value, channel) => value - at(mean, channel) * at(scale, channel)) };
}

function isChannelsLast(node: NodeProto): boolean {
  return (readText(node.attr['data_format']) ?? 'NHWC') === 'NHWC';
}

/** A scalar, or a constant along the last dimension only. */
function toPerChannel(constant: Constant | undefined, channels: number): Float64Array | undefined {
  if (constant?.dtype !== dataType.float) return undefined;
  const { shape } = constant;
  const values = constant.values as Float32Array;
  if (shape.length === 0) return new Float64Array(channels).fill(at(values, 0));
  const isAlongLast = shape.at(-1) === channels && values.length === channels;
  return isAlongLast ? Float64Array.from(values) : undefined;
}

function at(values: Float32Array | Float64Array, index: number): number {
  return values[index] ?? Number.NaN;
}
