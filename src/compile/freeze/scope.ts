import type { AttrProto, FunctionProto, GraphProto, NodeProto } from '../graph/proto.ts';
import { toNodeName, toTensorKey } from '../graph/tensor-reference.ts';
import { FreezeRefusal } from './freeze-refusal.ts';
import type { OpDefinitions } from './op-definitions.ts';
import { type Outputs, toValue, type Value } from './value.ts';

/** The nodes of a graph or of one function call, with the outputs of those visited so far. */
export interface Scope {
  /** Prefix of node names in the flat graph; ends in `/` for a call. */
  readonly prefix: string;
  readonly depth: number;
  readonly nodes: ReadonlyMap<string, NodeProto>;
  /** Values from outside by tensor (`name:0`): the fed input, or a function's arguments. */
  readonly given: ReadonlyMap<string, Value>;
  /** Values of a function's attribute placeholders. */
  readonly callAttr: Readonly<Record<string, AttrProto>>;
  /** Outputs of the visited nodes. */
  readonly values: Map<string, Outputs>;
}

/** Opens the outermost graph with the fed input. */
export function openGraph(graph: GraphProto, fed: ReadonlyMap<string, Value>): Scope {
  const nodes = new Map(graph.node.map((node) => [node.name, node]));
  return { prefix: '', depth: 0, nodes, given: fed, callAttr: {}, values: new Map() };
}

/** Opens a function for one call from `caller`. */
export function openCall(
  caller: Scope,
  name: string,
  body: FunctionProto,
  args: readonly Value[],
  callAttr: Readonly<Record<string, AttrProto>>,
): Scope {
  // TensorFlow's tracing nests a few dozen calls at most; more is recursion.
  if (caller.depth > 100) throw new FreezeRefusal(`the function ${body.signature.name} calls itself`);
  const given = new Map<string, Value>();
  for (const [at, arg] of body.signature.inputArg.entries()) {
    const value = args[at];
    if (value === undefined) throw new FreezeRefusal(`a call of ${body.signature.name} lacks the input ${arg.name}`);
    given.set(`${arg.name}:0`, value);
  }
  const nodes = new Map(body.nodeDef.map((node) => [node.name, node]));
  return { prefix: `${name}/`, depth: caller.depth + 1, nodes, given, callAttr, values: new Map() };
}

/** Reads the value of a reference to a visited node or an outside value. */
export function readValue(scope: Scope, reference: string, definitions: OpDefinitions): Value {
  const given = scope.given.get(toTensorKey(reference));
  if (given !== undefined) return given;
  const name = toNodeName(reference);
  const outputs = scope.values.get(name);
  const node = scope.nodes.get(name);
  if (outputs === undefined || node === undefined) throw new FreezeRefusal(`the graph lacks ${name}`);
  const [, second = '0', third] = reference.split(':');
  const place = third === undefined ? Number(second) : definitions.toOutputPlace(node, second, Number(third));
  const value = toValue(outputs, place);
  if (value === undefined) throw new FreezeRefusal(`${node.op} ${scope.prefix}${name} has no output that can be used`);
  return value;
}

/**
 * Sorts the nodes that `references` depend on, through data or control edges, topologically.
 * @throws FreezeRefusal for a loop
 */
export function orderNodes(scope: Scope, references: readonly string[]): NodeProto[] {
  const ordered: NodeProto[] = [];
  const state = new Map<string, 'open' | 'done'>();
  for (const root of references) {
    const path = openNode(scope, root, state);
    // Iterative: a deep network would overflow the call stack.
    const stack = path === undefined ? [] : [path];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const input = top.inputs.pop();
      if (input === undefined) {
        stack.pop();
        state.set(top.node.name, 'done');
        ordered.push(top.node);
      } else {
        const next = openNode(scope, input, state);
        if (next !== undefined) stack.push(next);
      }
    }
  }
  return ordered;
}

function openNode(
  scope: Scope,
  reference: string,
  state: Map<string, 'open' | 'done'>,
): { node: NodeProto; inputs: string[] } | undefined {
  if (scope.given.has(toTensorKey(reference))) return undefined;
  const name = toNodeName(reference);
  if (reference.startsWith('^') && scope.given.has(`${name}:0`)) return undefined;
  const seen = state.get(name);
  if (seen === 'done') return undefined;
  const node = scope.nodes.get(name);
  if (node === undefined) throw new FreezeRefusal(`the graph lacks ${name}`);
  if (seen === 'open') throw new FreezeRefusal(`${node.op} ${scope.prefix}${name} is part of a loop`);
  state.set(name, 'open');
  return { node, inputs: [...node.input] };
}
