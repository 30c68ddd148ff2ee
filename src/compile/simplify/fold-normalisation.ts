import { type Constant, toFloatConstant } from '../graph/constant.ts';
import type { EditableGraph } from '../graph/editable-graph.ts';
import { readText } from '../graph/op-attributes.ts';
import { dataType, type NodeProto } from '../graph/proto.ts';
import { type Convolution, toConvolution } from './convolution.ts';

/**
 * Folds the scale of the pixels into the weights of the following convolution, and their offset into its bias.
 * conv(x · s + o) = (s · conv)(x + o / s), as zero padding stays zero on both sides; the offset can only move on into the bias
 * if there is no padding.
 */
export function foldNormalisation(graph: EditableGraph): void {
  for (const node of graph.nodes()) {
    const convolution = toConvolution(graph, node);
    if (convolution && node.op !== 'MatMul') foldInto(graph, convolution);
  }
}

function foldInto(graph: EditableGraph, convolution: Convolution): void {
  const { node } = convolution;
  const channels = convolution.weights.shape[2] ?? 0;
  const added = toStep(graph, 'AddV2', node.input[0], channels);
  const scaled = toStep(graph, 'Mul', added?.input ?? node.input[0], channels);
  if (!scaled || !isPixels(graph, scaled.input) || scaled.values.some((scale) => scale === 0)) return;
  const weights = scaleInputs(convolution, scaled.values);
  const offset = added?.values.map((value, channel) => value / (scaled.values[channel] ?? NaN));
  const bias = graph.onlyConsumer(node);
  if (offset && bias?.op === 'BiasAdd' && readText(node.attr['padding']) === 'VALID') {
    const known = graph.constant(bias.input[1]);
    if (!known) return;
    bias.input = [node.name, graph.addConstant(bias.name, addToBias(known, convolution, weights, offset))];
    setInputs(graph, node, scaled.input, weights);
    return;
  }
  if (offset && added) {
    const constant = graph.addConstant(added.node.name, toFloatConstant(Float32Array.from(offset), [channels]));
    added.node.input = [scaled.input, constant];
  }
  setInputs(graph, node, offset && added ? added.node.name : scaled.input, weights);
}

/** For other inputs, broadcasting with the factors could add channels. */
function isPixels(graph: EditableGraph, input: string): boolean {
  const cast = graph.producer(input);
  return cast?.op === 'Cast' && graph.producer(cast.input[0])?.name === 'images';
}

function setInputs(graph: EditableGraph, node: NodeProto, pixels: string, weights: Constant): void {
  node.input = [pixels, graph.addConstant(node.name, weights), ...node.input.slice(2)];
}

interface Step {
  readonly node: NodeProto;
  /** Its operand. */
  readonly input: string;
  /** One per channel. */
  readonly values: Float64Array;
}

/** A per-channel sum or product with a single use. */
function toStep(graph: EditableGraph, op: string, name: string | undefined, channels: number): Step | undefined {
  const node = graph.producer(name);
  if (node?.op !== op || !graph.onlyConsumer(node)) return undefined;
  const [x, y] = node.input;
  const constant = graph.constant(y);
  if (x === undefined || constant?.dtype !== dataType.float || node.input.length !== 2) return undefined;
  const values = constant.values as Float32Array;
  const isScalar = values.length === 1 && constant.shape.length <= 1;
  if (isScalar) return { node, input: x, values: new Float64Array(channels).fill(values[0] ?? NaN) };
  if (constant.shape.length !== 1 || values.length !== channels) return undefined;
  return { node, input: x, values: Float64Array.from(values) };
}

function scaleInputs({ weights }: Convolution, scale: Float64Array): Constant {
  const [, , inputs = 1, outputs = 1] = weights.shape;
  const toInput = (index: number): number => Math.floor(index / outputs) % inputs;
  const values = Float32Array.from(
    weights.values as Float32Array,
    (weight, index) => weight * (scale[toInput(index)] ?? NaN),
  );
  return toFloatConstant(values, weights.shape);
}

function addToBias(bias: Constant, { channels }: Convolution, weights: Constant, offset: Float64Array): Constant {
  const [, , inputs = 1, outputs = 1] = weights.shape;
  const sums = Float64Array.from(bias.values as Float32Array);
  for (const [index, weight] of (weights.values as Float32Array).entries()) {
    const channel = index % channels;
    sums[channel] = (sums[channel] ?? NaN) + weight * (offset[Math.floor(index / outputs) % inputs] ?? NaN);
  }
  return toFloatConstant(Float32Array.from(sums), bias.shape);
}
