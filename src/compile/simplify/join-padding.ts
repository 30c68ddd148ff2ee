import type { Constant } from '../graph/constant.ts';
import type { EditableGraph } from '../graph/editable-graph.ts';
import { readText, toText } from '../graph/op-attributes.ts';
import type { NodeProto } from '../graph/proto.ts';
import { toConvolution } from './convolution.ts';

/** Replaces zero padding equivalent to the convolution's own `SAME`, which Keras emits before strides of two. */
export function joinPadding(graph: EditableGraph, shapes: ReadonlyMap<string, readonly number[]>): void {
  for (const node of graph.nodes()) {
    const convolution = toConvolution(graph, node);
    const pad = graph.producer(node.input[0]);
    if (!convolution || !pad || !isZeroPadding(graph, pad) || node.op === 'MatMul') continue;
    const [input] = pad.input;
    const shape = shapes.get(graph.producer(input)?.name ?? '');
    const paddings = graph.constant(pad.input[1]);
    if (input === undefined || !shape || !paddings || readText(node.attr['padding']) !== 'VALID') continue;
    if (!isSame(node, convolution.weights, shape, [...paddings.values].map(Number))) continue;
    node.input = [input, ...node.input.slice(1)];
    node.attr = { ...node.attr, padding: toText('SAME') };
  }
}

function isZeroPadding(graph: EditableGraph, { op, input }: NodeProto): boolean {
  return op === 'Pad' || (op === 'PadV2' && graph.constant(input[2])?.values[0] === 0);
}

/** @param paddings before and after, for batch, height, width and channels */
function isSame(node: NodeProto, weights: Constant, shape: readonly number[], paddings: readonly number[]): boolean {
  const wanted = [0, 1, 2, 3].flatMap((dimension) => {
    if (dimension === 0 || dimension === 3) return [0, 0];
    const stride = node.attr['strides']?.list?.i?.[dimension] ?? 1;
    const dilation = node.attr['dilations']?.list?.i?.[dimension] ?? 1;
    const size = shape[dimension] ?? -1;
    const kernel = ((weights.shape[dimension - 1] ?? 1) - 1) * dilation + 1;
    const total = Math.max((Math.ceil(size / stride) - 1) * stride + kernel - size, 0);
    return size < 0 ? [NaN, NaN] : [Math.floor(total / 2), Math.ceil(total / 2)];
  });
  return paddings.length === 8 && wanted.every((padding, at) => padding === paddings[at]);
}
