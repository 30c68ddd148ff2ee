import { type AttrProto, dataType, type NodeProto, type TensorProto } from '../graph/proto.ts';
import { toNodeName } from '../graph/tensor-reference.ts';
import { FreezeRefusal } from './freeze-refusal.ts';
import type { Value, Variable } from './value.ts';

/** The graph that freezing writes: one level, tensors only, no control edges. */
export interface FlatGraph {
  /** The constants that wait for a variable's value, by name. */
  readonly variables: ReadonlyMap<string, Variable>;
  /** Adds a node under its name, or the nearest one that is free. */
  readonly add: (node: NodeProto) => { readonly flatNode: string };
  /** Stands for a variable's value; the same constant however often it is read. */
  readonly addVariable: (variable: Variable) => Value;
  /** Works out a truth value that doesn't depend on the input. @returns undefined where it does. */
  readonly evaluate: (tensor: string) => boolean | undefined;
  /** The nodes that `tensors` depend on, each after all that it takes. */
  readonly toReachable: (tensors: readonly string[]) => NodeProto[];
}

/** Starts an empty flat graph. */
export function createFlatGraph(): FlatGraph {
  const nodes: NodeProto[] = [];
  const byName = new Map<string, NodeProto>();
  const variables = new Map<string, Variable>();
  const constants = new Map<string, Value>();

  function add(node: NodeProto): { readonly flatNode: string } {
    let name = node.name;
    for (let suffix = 1; byName.has(name); suffix++) name = `${node.name}_${String(suffix)}`;
    const added = { ...node, name };
    nodes.push(added);
    byName.set(name, added);
    return { flatNode: name };
  }

  function addVariable(variable: Variable): Value {
    const known = constants.get(variable.name);
    if (known !== undefined) return known;
    const { flatNode } = add({ name: variable.name, op: 'Const', input: [], attr: { dtype: variable.dtype } });
    const value: Value = { kind: 'tensor', tensor: flatNode };
    variables.set(flatNode, variable);
    constants.set(variable.name, value);
    return value;
  }

  function evaluate(tensor: string): boolean | undefined {
    const node = byName.get(tensor);
    const inputs = (): (boolean | undefined)[] => (node?.input ?? []).map(evaluate);
    if (node?.op === 'Const') return isTruthy(node.attr['value']?.tensor);
    if (node?.op === 'LogicalNot') return inputs().map((value) => (value === undefined ? value : !value))[0];
    if (node?.op === 'LogicalAnd') return joinTruth(inputs(), false);
    if (node?.op === 'LogicalOr') return joinTruth(inputs(), true);
    return undefined;
  }

  return {
    variables,
    add,
    addVariable,
    evaluate,
    toReachable: (tensors) => keepReachable(nodes, tensors),
  };
}

/** Keeps the nodes that `tensors` depend on, in the order that they have. */
export function keepReachable(nodes: readonly NodeProto[], tensors: readonly string[]): NodeProto[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const reached = new Set<string>();
  const open = tensors.map(toNodeName);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (reached.has(name)) continue;
    reached.add(name);
    open.push(...(byName.get(name)?.input ?? []).map(toNodeName));
  }
  return nodes.filter(({ name }) => reached.has(name));
}

/** One input that is `decisive` settles the result, whatever the others are. */
function joinTruth(inputs: readonly (boolean | undefined)[], decisive: boolean): boolean | undefined {
  if (inputs.includes(decisive)) return decisive;
  return inputs.includes(undefined) ? undefined : !decisive;
}

function isTruthy(tensor: TensorProto | undefined): boolean | undefined {
  if (tensor === undefined || tensor.tensorShape.dim.length > 0) return undefined;
  if (tensor.dtype !== dataType.bool && tensor.dtype !== dataType.int32) return undefined;
  if ((tensor.tensorContent?.length ?? 0) > 0) return tensor.tensorContent?.some((byte) => byte !== 0);
  return Boolean(tensor.boolVal?.[0] ?? tensor.intVal?.[0] ?? false);
}

/** Makes a constant's attributes. @throws FreezeRefusal for whole numbers that can't be kept exactly. */
export function toConstAttr(tensor: TensorProto): Record<string, AttrProto> {
  // Read as JavaScript numbers, they may have been rounded already.
  if (tensor.int64Val?.some((value) => !Number.isSafeInteger(value)) === true) {
    throw new FreezeRefusal('a constant holds whole numbers beyond 2^53');
  }
  return { dtype: { type: tensor.dtype }, value: { tensor } };
}
