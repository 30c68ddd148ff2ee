import type { AttrProto, FunctionProto, GraphProto, NodeProto } from '../graph/proto.ts';
import { toNodeName, toTensorKey } from '../graph/tensor-reference.ts';
import { createFlatGraph, type FlatGraph } from './flat-graph.ts';
import { FreezeRefusal } from './freeze-refusal.ts';
import { applyRule } from './node-rules.ts';
import { type NodeVisit, takeTensor } from './node-visit.ts';
import type { OpDefinitions } from './op-definitions.ts';
import { openCall, openGraph, orderNodes, readValue, type Scope } from './scope.ts';
import type { Outputs, Value } from './value.ts';

interface Flattening {
  readonly flat: FlatGraph;
  readonly functions: ReadonlyMap<string, FunctionProto>;
  readonly definitions: OpDefinitions;
}

/**
 * Writes everything that `outputs` depend on into one flat graph, with functions inlined.
 * @param input the fed tensor and its placeholder in the flat graph
 * @returns the graph and the outputs' tensors in it
 */
export function flattenGraph(
  graph: GraphProto,
  definitions: OpDefinitions,
  input: { readonly tensor: string; readonly placeholder: NodeProto },
  outputs: readonly string[],
): { flat: FlatGraph; tensors: string[] } {
  const flat = createFlatGraph();
  const functions = new Map(graph.library?.function.map((body) => [body.signature.name, body]));
  const fed: Value = { kind: 'tensor', tensor: flat.add(input.placeholder).flatNode };
  const scope = openGraph(graph, new Map([[toTensorKey(input.tensor), fed]]));
  visitNodes({ flat, functions, definitions }, scope, outputs);
  const tensors = outputs.map((output) => {
    const value = readValue(scope, output, definitions);
    if (value.kind === 'tensor') return value.tensor;
    throw new FreezeRefusal(`the output ${output} is no tensor that is computed`);
  });
  return { flat, tensors };
}

function visitNodes(flattening: Flattening, scope: Scope, references: readonly string[]): void {
  for (const node of orderNodes(scope, references)) {
    const data = node.input.filter((reference) => !reference.startsWith('^'));
    const inputs = data.map((reference) => readValue(scope, reference, flattening.definitions));
    scope.values.set(node.name, isDead(scope, node, inputs) ? 'dead' : visitNode(flattening, scope, node, inputs));
  }
}

function isDead(scope: Scope, node: NodeProto, inputs: readonly Value[]): boolean {
  const controls = node.input.filter((reference) => reference.startsWith('^'));
  if (controls.some((reference) => scope.values.get(toNodeName(reference)) === 'dead')) return true;
  return node.op !== 'Merge' && inputs.some(({ kind }) => kind === 'dead');
}

function visitNode(flattening: Flattening, scope: Scope, node: NodeProto, inputs: readonly Value[]): Outputs {
  const name = scope.prefix + node.name;
  const visit: NodeVisit = {
    flat: flattening.flat,
    node: { ...node, name, attr: fillAttr(node.attr, scope.callAttr) },
    isOutermost: scope.depth === 0,
    inputs,
    call: (func, args, attr) => callFunction(flattening, openFunction(flattening, scope, name, func, args, attr)),
  };
  // A function may be called by name, like an operation.
  if (flattening.functions.has(node.op)) return visit.call(node.op, inputs, visit.node.attr);
  return applyRule(visit) ?? copyNode(visit);
}

/** Copies a node that maps tensors to tensors. */
function copyNode(visit: NodeVisit): Outputs {
  const { flat, node, inputs } = visit;
  if (Object.values(node.attr).some((attr) => attr.func !== undefined || (attr.list?.func?.length ?? 0) > 0)) {
    throw new FreezeRefusal(`${node.op} ${node.name} calls a function that can't be put in its place`);
  }
  const input = inputs.map((_, place) => takeTensor(visit, place));
  return flat.add({ name: node.name, op: node.op, input, attr: node.attr });
}

interface Call {
  readonly body: FunctionProto;
  readonly scope: Scope;
}

function openFunction(
  { functions }: Flattening,
  caller: Scope,
  name: string,
  func: string,
  args: readonly Value[],
  attr: Readonly<Record<string, AttrProto>>,
): Call {
  const body = functions.get(func);
  if (body === undefined) throw new FreezeRefusal(`the model lacks the function ${func}`);
  return { body, scope: openCall(caller, name, body, args, attr) };
}

function callFunction(flattening: Flattening, { body, scope }: Call): Outputs {
  const { name, outputArg } = body.signature;
  const results = outputArg.map((arg) => {
    const reference = body.ret[arg.name];
    if (reference === undefined) throw new FreezeRefusal(`the function ${name} doesn't return ${arg.name}`);
    return reference;
  });
  // Nodes run only for their side effects are visited too: one that writes a variable is refused.
  const effects = Object.values(body.controlRet ?? {}).map((node) => `^${node}`);
  visitNodes(flattening, scope, [...results, ...effects]);
  return results.map((reference) => readValue(scope, reference, flattening.definitions));
}

/** Fills in a call's attributes and drops hints (`_output_shapes`, `_class`) about removed nodes. */
function fillAttr(
  attr: Readonly<Record<string, AttrProto>>,
  callAttr: Readonly<Record<string, AttrProto>>,
): Record<string, AttrProto> {
  const filled: Record<string, AttrProto> = {};
  for (const [key, value] of Object.entries(attr)) {
    if (key.startsWith('_')) continue;
    const known = value.placeholder === undefined ? value : callAttr[value.placeholder];
    if (known === undefined) throw new FreezeRefusal(`a function's attribute ${key} is not filled in by its call`);
    filled[key] = known;
  }
  return filled;
}
