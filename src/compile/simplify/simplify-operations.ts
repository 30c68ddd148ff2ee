import type { Constant } from '../graph/constant.ts';
import type { EditableGraph } from '../graph/editable-graph.ts';
import { dataType, type NodeProto } from '../graph/proto.ts';

/** Simplifies single operations: binary sums, clipping to 0…6, double casts and no-ops. */
export function simplifyOperations(graph: EditableGraph): void {
  for (const node of graph.nodes()) {
    simplifySum(node);
    simplifyClipping(graph, node);
    skipIntegers(graph, node);
    skipNothing(graph, node);
  }
}

function simplifySum(node: NodeProto): void {
  const isPair = node.op === 'AddN' && node.input.length === 2;
  if (!isPair && node.op !== 'Add') return;
  const { T } = node.attr;
  // Add also concatenates strings, AddV2 doesn't.
  if (!T || T.type === dataType.string) return;
  node.op = 'AddV2';
  node.attr = { T };
}

/** TensorFlow fuses Relu and Relu6; tfjs emits min and max. */
function simplifyClipping(graph: EditableGraph, node: NodeProto): void {
  const clip = toClip(graph, node);
  if (!clip) return;
  const before = graph.producer(clip.input);
  const earlier = before && toClip(graph, before);
  const T = node.attr['T'] ?? { type: dataType.float };
  const isPositive = before?.op === 'Relu' || before?.op === 'Relu6' || isZeroFloor(earlier);
  if (isZeroFloor(clip)) {
    if (before?.op === 'Relu' || before?.op === 'Relu6') become(node, 'Identity', clip.input, T);
    else if (isSixCeiling(earlier)) become(node, 'Relu6', earlier?.input ?? clip.input, T);
    else become(node, 'Relu', clip.input, T);
  } else if (isSixCeiling(clip) && isPositive) {
    // The input of the earlier clip; a Relu6 may follow another one.
    become(node, 'Relu6', earlier?.input ?? (before?.op === 'Relu' ? before.input[0] : undefined) ?? clip.input, T);
  }
}

interface Clip {
  readonly op: string;
  readonly bound: number;
  readonly input: string;
}

const isZeroFloor = (clip: Clip | undefined): boolean => clip?.op === 'Maximum' && clip.bound === 0;
const isSixCeiling = (clip: Clip | undefined): boolean => clip?.op === 'Minimum' && clip.bound === 6;

function toClip(graph: EditableGraph, node: NodeProto): Clip | undefined {
  if (node.op !== 'Maximum' && node.op !== 'Minimum') return undefined;
  const [x, y] = node.input;
  const [left, right] = [toScalar(graph.constant(x)), toScalar(graph.constant(y))];
  if (right !== undefined && x !== undefined) return { op: node.op, bound: right, input: x };
  return left !== undefined && y !== undefined ? { op: node.op, bound: left, input: y } : undefined;
}

function toScalar(constant: Constant | undefined): number | undefined {
  if (constant?.dtype !== dataType.float || constant.shape.length > 0) return undefined;
  return Number(constant.values[0]);
}

function become(node: NodeProto, op: string, input: string, T: NodeProto['attr'][string]): void {
  node.op = op;
  node.input = [input];
  node.attr = { T };
}

/** A cast from uint8 via int32 equals a direct one. */
function skipIntegers(graph: EditableGraph, node: NodeProto): void {
  if (node.op !== 'Cast' || node.attr['SrcT']?.type !== dataType.int32) return;
  const earlier = graph.producer(node.input[0]);
  if (earlier?.op !== 'Cast' || earlier.attr['SrcT']?.type !== dataType.uint8) return;
  const [input] = earlier.input;
  if (input === undefined) return;
  node.input = [input];
  node.attr = { ...node.attr, SrcT: { type: dataType.uint8 } };
}

/** Removes identities, and sums and products with a neutral scalar. */
function skipNothing(graph: EditableGraph, node: NodeProto): void {
  const input = toUntouched(graph, node);
  if (input !== undefined && node.name !== 'scores') graph.redirect(node, input);
}

function toUntouched(graph: EditableGraph, node: NodeProto): string | undefined {
  // Its control inputs would be lost.
  if (node.input.some((input) => input.startsWith('^'))) return undefined;
  if (node.op === 'Identity') return node.input[0];
  if (node.op === 'Cast' && node.attr['SrcT']?.type === node.attr['DstT']?.type) return node.input[0];
  const neutral = node.op === 'Mul' ? 1 : node.op === 'AddV2' ? 0 : undefined;
  if (neutral === undefined) return undefined;
  const [x, y] = node.input;
  if (toScalar(graph.constant(y)) === neutral) return x;
  return toScalar(graph.constant(x)) === neutral ? y : undefined;
}
