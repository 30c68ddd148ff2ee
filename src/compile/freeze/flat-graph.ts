import { type AttrProto, dataType, type NodeProto, type TensorProto } from '../graph/proto.ts';
import { toNodeName } from '../graph/tensor-reference.ts';
import { FreezeRefusal } from './freeze-refusal.ts';
import type { Value, Variable } from './value.ts';

/** A frozen graph under construction: no functions, tensors only, no control edges. */
export interface FlatGraph {
  /** Constants to be filled with the values of variables, by name. */
  readonly variables: ReadonlyMap<string, Variable>;
  /** Adds a node; a name that is taken gets a suffix. */
  readonly add: (node: NodeProto) => { readonly flatNode: string };
  /** Returns the constant for a variable's value, one for all its reads. */
  readonly addVariable: (variable: Variable) => Value;
  /** Evaluates a boolean tensor. @returns undefined if it depends on the input */
  readonly evaluate: (tensor: string) => boolean | undefined;
  /** The nodes that `tensors` depend on, in topological order. */
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

/** Keeps the nodes that `tensors` depend on, in their order. */
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

/** A single `decisive` input determines the result. */
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

/** Makes a constant's attributes. @throws FreezeRefusal for int64 values that can't be represented exactly */
export function toConstAttr(tensor: TensorProto): Record<string, AttrProto> {
  // They were decoded as JavaScript numbers and may already be rounded.
  if (tensor.int64Val?.some((value) => !Number.isSafeInteger(value)) === true) {
    throw new FreezeRefusal('a constant holds whole numbers beyond 2^53');
  }
  return { dtype: { type: tensor.dtype }, value: { tensor } };
}
