import type { TensorFlow } from '../../inference/engines/tensorflow.ts';
import { toTensorProto } from '../graph/constant.ts';
import { encodeSavedModel, type GraphProto, type NodeProto, type TensorProto } from '../graph/proto.ts';
import { toNodeName } from '../graph/tensor-reference.ts';
import { keepReachable, toConstAttr } from './flat-graph.ts';
import { useSession, withSavedModel } from './session.ts';

// Larger results are left to be computed: filled or tiled ones would bloat the file.
const maxBytes = 10_000_000;

/**
 * Precomputes everything that doesn't depend on the input: Keras 3 exports derive batch norm's factors from its statistics in
 * every run, and only constants can be folded into a convolution's weights.
 * @param graph in topological order
 * @param roots tensors to keep
 * @returns the graph, and the names of the roots in it
 */
export function foldConstants(
  tf: TensorFlow,
  graph: GraphProto,
  roots: readonly string[],
): { graph: GraphProto; roots: string[] } {
  const constant = new Map<string, NodeProto>();
  for (const node of graph.node) {
    const isDerived = node.input.length > 0 && node.input.every((input) => constant.has(toNodeName(input)));
    if (node.op === 'Const' || isDerived) constant.set(node.name, node);
  }
  const changing = graph.node.filter(({ name }) => !constant.has(name));
  const wanted = new Set([...roots, ...changing.flatMap(({ input }) => input)]);
  const derived = [...wanted].filter((tensor) => (constant.get(toNodeName(tensor))?.op ?? 'Const') !== 'Const');
  const folded = toConstants(computeTensors(tf, { ...graph, node: [...constant.values()] }, derived), graph.node);

  const rename = (tensor: string): string => folded.get(tensor)?.name ?? tensor;
  const renamed = graph.node.map((node) => ({ ...node, input: node.input.map(rename) }));
  const placeholders = graph.node.filter(({ op }) => op === 'Placeholder').map(({ name }) => name);
  const kept = roots.map(rename);
  const node = keepReachable([...folded.values(), ...renamed], [...placeholders, ...kept]);
  return { graph: { ...graph, node }, roots: kept };
}

function computeTensors(tf: TensorFlow, graph: GraphProto, tensors: readonly string[]): Map<string, TensorProto> {
  const computed = new Map<string, TensorProto>();
  if (tensors.length === 0) return computed;
  const savedModel = encodeSavedModel({
    savedModelSchemaVersion: 1,
    metaGraphs: [{ metaInfoDef: { tags: ['serve'] }, graphDef: graph, signatureDef: {} }],
  });
  withSavedModel(savedModel, undefined, (dir) => {
    useSession(tf, dir, ['serve'], dir, (session) => {
      for (const [index, fetched] of session.fetch(tensors).entries()) {
        const tensor = tensors[index];
        if (tensor === undefined || fetched.data === undefined || fetched.data.byteLength > maxBytes) continue;
        computed.set(tensor, toTensorProto(fetched.dtype, fetched.shape, fetched.data));
      }
    });
  });
  return computed;
}

function toConstants(tensors: ReadonlyMap<string, TensorProto>, nodes: readonly NodeProto[]): Map<string, NodeProto> {
  const taken = new Set(nodes.map(({ name }) => name));
  const constants = new Map<string, NodeProto>();
  for (const [tensor, value] of tensors) {
    let name = `${tensor.replace(':', '/')}/folded`;
    while (taken.has(name)) name += '_1';
    constants.set(tensor, { name, op: 'Const', input: [], attr: toConstAttr(value) });
  }
  return constants;
}
