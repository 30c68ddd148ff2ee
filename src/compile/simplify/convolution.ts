import type { Constant } from '../graph/constant.ts';
import type { EditableGraph } from '../graph/editable-graph.ts';
import { readText } from '../graph/op-attributes.ts';
import { dataType, type NodeProto } from '../graph/proto.ts';

/** A convolution or matrix product with constant weights. */
export interface Convolution {
  readonly node: NodeProto;
  readonly weights: Constant;
  /** Number of trailing dimensions of the weights that form the output channels. */
  readonly channelDimensions: 1 | 2;
  readonly channels: number;
}

/** Recognises a convolution or matrix product whose last dimension is the channels. */
export function toConvolution(graph: EditableGraph, node: NodeProto | undefined): Convolution | undefined {
  if (!node) return undefined;
  const channelDimensions = toChannelDimensions(node);
  const weights = graph.constant(node.input[1]);
  if (channelDimensions === undefined || weights?.dtype !== dataType.float) return undefined;
  const channels = weights.shape.slice(-channelDimensions).reduce((product, size) => product * size, 1);
  return { node, weights, channelDimensions, channels };
}

function toChannelDimensions(node: NodeProto): 1 | 2 | undefined {
  if (node.op === 'MatMul') return node.attr['transpose_b']?.b === true ? undefined : 1;
  if ((readText(node.attr['data_format']) ?? 'NHWC') !== 'NHWC') return undefined;
  if (node.op === 'Conv2D') return 1;
  return node.op === 'DepthwiseConv2dNative' ? 2 : undefined;
}
