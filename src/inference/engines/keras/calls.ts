import { isObject, type JsonObject, toList, toObject } from './json-object.ts';
import { isOperation, type KerasLayer, refuseLayer } from './keras-layer.ts';

/** One output of one call of a layer: `[layer, call, output]`. */
export type Reference = readonly [layer: string, call: number, output: number];

/** One call of a layer. */
export interface Call {
  /** For an operation, references and constants in argument order; for a layer, references only. */
  readonly operands: readonly unknown[];
  /** Whether the layer is called in training mode. */
  readonly isTraining: boolean;
}

/** Whether a value refers to the output of another layer. */
export function isReference(value: unknown): value is Reference {
  return Array.isArray(value) && value.length === 3 && typeof value[0] === 'string' && Number.isInteger(value[1]);
}

/** Lists the references of a network's inputs or outputs: one, a list, or an object of them. */
export function listReferences(value: unknown): Reference[] {
  if (isReference(value)) return [value];
  return (isObject(value) ? Object.values(value) : toList(value)).flatMap(listReferences);
}

/** Reads the calls of a layer. @throws Error that names a layer with an unsupported call */
export function toCalls(layer: KerasLayer): Call[] {
  return layer.inboundNodes.map((node) => {
    if (isObject(node) && 'args' in node) return toNewCall(layer, node);
    if (Array.isArray(node)) return toOldCall(layer, node);
    return refuseLayer(layer, 'is called by names');
  });
}

/** Keras 3 writes the arguments of the call, with tensors as objects. */
function toNewCall(layer: KerasLayer, node: JsonObject): Call {
  const named = toObject(node['kwargs']);
  const operands = [...toList(node['args']), ...listNamed(layer, named)].map(toOperand).filter(isGiven);
  return { operands: isTensorList(operands[0]) ? operands.flat() : operands, isTraining: named['training'] === true };
}

/** Operations accept any argument by name, layers only their input. */
function listNamed(layer: KerasLayer, named: JsonObject): unknown[] {
  const keys = Object.keys(named).filter((key) => key !== 'training' && key !== 'name');
  if (isOperation(layer)) return keys.map((key) => named[key]);
  const other = keys.find((key) => key !== 'inputs' && isGiven(named[key]));
  return other === undefined ? [named['inputs']] : refuseLayer(layer, `is called with ${other}`);
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function toOperand(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toOperand);
  if (!isObject(value)) return value;
  const { class_name: className, config } = value;
  if (className === '__keras_tensor__') return toObject(config)['keras_history'];
  return className === '__numpy__' || className === '__tensor__' ? toObject(config)['value'] : value;
}

function isTensorList(operand: unknown): boolean {
  return Array.isArray(operand) && operand.length > 0 && operand.every(isReference);
}

/** Keras 2 writes a list of `[layer, call, output, named arguments]`; for an operation with one, just that entry. */
function toOldCall(layer: KerasLayer, node: readonly unknown[]): Call {
  const entries = typeof node[0] === 'string' ? [node] : node.map(toList);
  const operands = entries.flatMap(([from, call = 0, output = 0, named]): unknown[] => {
    // The first argument is a number.
    const first = from === '_CONSTANT_VALUE' ? output : [from, call, output];
    return [first, ...listNamed(layer, toObject(named)).filter(isGiven)];
  });
  return { operands, isTraining: entries.some(([, , , named]) => toObject(named)['training'] === true) };
}
