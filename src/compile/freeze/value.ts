import type { AttrProto, NodeProto } from '../graph/proto.ts';

/** A variable of the outermost graph, named after the node that creates it. */
export interface Variable {
  readonly name: string;
  /** The operation and attributes of that node. */
  readonly op: string;
  readonly attr: NodeProto['attr'];
  readonly dtype: AttrProto & { readonly type: number };
}

/** One output of a node in the flat graph. */
export type Value =
  | { readonly kind: 'tensor'; /** `node`, or `node:1`. */ readonly tensor: string }
  | { readonly kind: 'variable'; readonly variable: Variable }
  /** An output on a branch not taken. */
  | { readonly kind: 'dead' };

/** Outputs of a node: those of one node of the flat graph, or a list of values, or all dead on a branch not taken. */
export type Outputs = { readonly flatNode: string } | readonly Value[] | 'dead';

/** Reads one of a node's outputs. @returns undefined if it has fewer */
export function toValue(outputs: Outputs, place: number): Value | undefined {
  if (outputs === 'dead') return { kind: 'dead' };
  if (!('flatNode' in outputs)) return outputs[place];
  return { kind: 'tensor', tensor: place === 0 ? outputs.flatNode : `${outputs.flatNode}:${String(place)}` };
}
