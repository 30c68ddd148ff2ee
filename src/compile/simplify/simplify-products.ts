import { toFloatConstant } from '../graph/constant.ts';
import type { EditableGraph } from '../graph/editable-graph.ts';
import type { NodeProto } from '../graph/proto.ts';

/** Operations that act on each row independently. */
const elementwise = new Set(['AddV2', 'BiasAdd', 'Relu', 'Relu6', 'Sigmoid', 'Tanh', 'Elu', 'Identity', 'Softmax']);

/**
 * Converts dense layers, which tfjs-layers emits as batched matrix products between two reshapes, to plain matrix products,
 * which TensorFlow fuses with bias and activation.
 */
export function simplifyProducts(graph: EditableGraph, shapes: ReadonlyMap<string, readonly number[]>): void {
  for (const node of graph.nodes()) {
    if (node.op === 'BatchMatMulV2' || node.op === 'BatchMatMul') simplifyProduct(graph, node, shapes);
  }
  for (const node of graph.nodes()) {
    if (node.op === 'Reshape') simplifyReshape(graph, node);
  }
}

function simplifyProduct(graph: EditableGraph, node: NodeProto, shapes: ReadonlyMap<string, readonly number[]>): void {
  const reshape = graph.producer(node.input[0]);
  const weights = graph.constant(node.input[1]);
  const [rows] = reshape?.input ?? [];
  if (reshape?.op !== 'Reshape' || rows === undefined || node.attr['adj_x']?.b === true) return;
  if (!(weights?.values instanceof Float32Array) || node.attr['adj_y']?.b === true) return;
  const [one, inputs = 0, outputs = 0] = weights.shape;
  const source = shapes.get(graph.producer(rows)?.name ?? '');
  const isMatrix = source?.length === 2 && source[1] === inputs;
  if (weights.shape.length !== 3 || one !== 1 || !isMatrix || !endsInReshape(graph, node)) return;
  const matrix = graph.addConstant(node.name, toFloatConstant(weights.values, [inputs, outputs]));
  node.op = 'MatMul';
  node.input = [rows, matrix];
  node.attr = { T: node.attr['T'] ?? { type: weights.dtype }, transpose_a: { b: false }, transpose_b: { b: false } };
}

/** Whether all users of the result reshape it before its shape matters. */
function endsInReshape(graph: EditableGraph, product: NodeProto): boolean {
  for (let last = product, next = graph.onlyConsumer(last); next; last = next, next = graph.onlyConsumer(last)) {
    if (next.op === 'Reshape') return graph.producer(next.input[0]) === last;
    const others = next.input.filter((input) => graph.producer(input) !== last);
    // A constant of higher rank would raise the rank of the result.
    if (!elementwise.has(next.op) || others.some((input) => (graph.constant(input)?.shape.length ?? 2) > 1)) {
      return false;
    }
  }
  return false;
}

/** Joins a reshape of a reshape; removes a reshape of rows to the same rows. */
function simplifyReshape(graph: EditableGraph, node: NodeProto): void {
  const sizes = graph.constant(node.input[1])?.values;
  let before = graph.producer(node.input[0]);
  while (before?.op === 'Reshape' && before.input[0] !== undefined) {
    node.input = [before.input[0], ...node.input.slice(1)];
    before = graph.producer(before.input[0]);
  }
  const columns = toColumns(graph, before);
  const isSame = sizes?.length === 2 && Number(sizes[0]) === -1 && Number(sizes[1]) === columns;
  if (isSame && node.input[0] !== undefined) graph.redirect(node, node.input[0]);
}

/** The width of a matrix product, also through elementwise operations. */
function toColumns(graph: EditableGraph, from: NodeProto | undefined): number | undefined {
  let node = from;
  while (node && elementwise.has(node.op)) {
    if (node.input.slice(1).some((input) => (graph.constant(input)?.shape.length ?? 2) > 1)) return undefined;
    node = graph.producer(node.input[0]);
  }
  if (node?.op !== 'MatMul' || node.attr['transpose_b']?.b === true) return undefined;
  return graph.constant(node.input[1])?.shape[1];
}
