import { flattenGraph } from '../compile/freeze/flatten.ts';
import { readDefinitions } from '../compile/freeze/op-definitions.ts';
import { readConstant } from '../compile/graph/constant.ts';
import type { MetaGraphProto, NodeProto, SignatureProto } from '../compile/graph/proto.ts';
import { toNodeName } from '../compile/graph/tensor-reference.ts';
import { isForPixels } from './own-scaling.ts';

/** An operation of a graph. */
export interface GraphStep {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
}

/** Values of a small constant; undefined for other tensors. */
export type ConstantReader = (name: string) => readonly number[] | undefined;

const passing = new Set([
  ...['Identity', 'Cast', 'Snapshot', 'ResizeBilinear', 'ResizeNearestNeighbor', 'Pad', 'PadV2', 'MirrorPad'],
  ...['CheckNumerics', 'PlaceholderWithDefault', 'ReverseV2', 'StridedSlice'],
]);

/**
 * Finds the operation with which a graph scales 0…255 itself.
 * @param input the node of the image
 */
export function findScalingNode(
  steps: readonly GraphStep[],
  input: string,
  readNumbers: ConstantReader,
): string | undefined {
  const seen = new Set<string>();
  for (let at = input; !seen.has(at);) {
    seen.add(at);
    const takers = steps.filter(
      ({ op, input: inputs = [] }) => op !== 'Shape' && inputs.some((name) => toNodeName(name) === at),
    );
    const [taker] = takers;
    if (!taker || takers.length > 1) return undefined;
    if (!passing.has(taker.op)) return scales(taker, at, readNumbers) ? taker.name : undefined;
    at = taker.name;
  }
  return undefined;
}

function scales({ op, input = [] }: GraphStep, from: string, readNumbers: ConstantReader): boolean {
  const other = input.map(toNodeName).find((name) => name !== from);
  const numbers = other === undefined ? undefined : readNumbers(other);
  if (numbers === undefined || numbers.length === 0) return false;
  if (op === 'Mul') return isForPixels(numbers, 0);
  if (op === 'RealDiv' || op === 'Div') {
    return isForPixels(
      numbers.map((value) => 1 / value),
      0,
    );
  }
  return ['Sub', 'Add', 'AddV2', 'BiasAdd'].includes(op) && isForPixels(1, numbers);
}

/** Finds the same in a SavedModel, whose functions are inlined first. */
export function findSavedScaling(
  metaGraph: MetaGraphProto,
  { inputs, outputs }: Pick<SignatureProto, 'inputs' | 'outputs'>,
): string | undefined {
  const [input] = Object.values(inputs);
  if (!input) return undefined;
  const placeholder: NodeProto = { name: toNodeName(input.name), op: 'Placeholder', input: [], attr: {} };
  const names = Object.values(outputs).map(({ name }) => name);
  try {
    const definitions = readDefinitions(metaGraph);
    const { flat, tensors } = flattenGraph(metaGraph.graphDef, definitions, { tensor: input.name, placeholder }, names);
    const nodes = flat.toReachable([placeholder.name, ...tensors]);
    const byName = new Map(nodes.map((node) => [node.name, node]));
    return findScalingNode(nodes, placeholder.name, (name) => {
      // Variables have no values here.
      const node = byName.get(name);
      const constant = node?.attr['value'] ? readConstant(node) : undefined;
      return constant && [...constant.values].map(Number);
    });
  } catch {
    // A model that can't be frozen is served in its original form; a damaged one is rejected when it is loaded.
    return undefined;
  }
}
