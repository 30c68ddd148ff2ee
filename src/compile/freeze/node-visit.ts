import type { AttrProto, NodeProto } from '../graph/proto.ts';
import type { FlatGraph } from './flat-graph.ts';
import { FreezeRefusal } from './freeze-refusal.ts';
import type { Outputs, Value, Variable } from './value.ts';

/** A node being visited, with known inputs. */
export interface NodeVisit {
  readonly flat: FlatGraph;
  /** The node with its full name and attributes filled in; its `input` still has the original references. */
  readonly node: NodeProto;
  readonly isOutermost: boolean;
  readonly inputs: readonly Value[];
  /** Inlines a function in place of the node. */
  readonly call: (func: string, args: readonly Value[], attr: Readonly<Record<string, AttrProto>>) => Outputs;
}

/** One of a node's inputs, a tensor or a variable. */
export function takeValue({ node, inputs }: NodeVisit, place: number): Value {
  const value = inputs[place];
  if (value === undefined) throw new FreezeRefusal(`${node.op} ${node.name} lacks an input`);
  return value;
}

/** One of a node's inputs, which must be a tensor. */
export function takeTensor(visit: NodeVisit, place: number): string {
  const value = takeValue(visit, place);
  if (value.kind === 'tensor') return value.tensor;
  throw new FreezeRefusal(`${visit.node.op} ${visit.node.name} changes or uses a variable other than by reading it`);
}

/** The value of the variable that is a node's first input. */
export function takeVariable(visit: NodeVisit): Value {
  const value = takeValue(visit, 0);
  if (value.kind === 'variable') return visit.flat.addVariable(value.variable);
  throw new FreezeRefusal(`${visit.node.op} ${visit.node.name} reads something else than a variable`);
}

/** The variable created by a node. */
export function toVariable({ node, isOutermost }: NodeVisit): Variable {
  const type = node.attr['dtype']?.type;
  if (type === undefined) throw new FreezeRefusal(`the variable ${node.name} has no element type`);
  if (!isOutermost) throw new FreezeRefusal(`the variable ${node.name} is made inside a function`);
  return { name: node.name, op: node.op, attr: node.attr, dtype: { type } };
}
