import { type Call, isReference, type Reference } from './calls.ts';
import type { JsonObject } from './json-object.ts';
import { type KerasLayer, refuseLayer, type TfjsLayer } from './keras-layer.ts';

/** A layer equivalent to an operation, with its inputs. */
export interface ServedOperation {
  readonly layer: TfjsLayer;
  readonly inputs: readonly Reference[];
}

/** Binary operations, by their names in Keras 3 and TensorFlow. */
const arithmetic: Readonly<Record<string, 'Add' | 'Subtract' | 'Multiply' | 'Divide'>> = {
  ...{ Add: 'Add', 'math.add': 'Add', '__operators__.add': 'Add' },
  ...{ Subtract: 'Subtract', 'math.subtract': 'Subtract' },
  ...{ Multiply: 'Multiply', 'math.multiply': 'Multiply' },
  ...{ TrueDivide: 'Divide', Divide: 'Divide', 'math.truediv': 'Divide', 'math.divide': 'Divide' },
};

/** Unary operations that are activations in tfjs or `own-layers`. */
const activations: Readonly<Record<string, string>> = {
  ...{ Relu: 'relu', 'nn.relu': 'relu', Relu6: 'relu6', 'nn.relu6': 'relu6', Silu: 'swish', 'nn.silu': 'swish' },
  ...{ Sigmoid: 'sigmoid', 'math.sigmoid': 'sigmoid', 'nn.sigmoid': 'sigmoid', Tanh: 'tanh', 'math.tanh': 'tanh' },
  ...{ HardSigmoid: 'kerasHardSigmoid', HardSilu: 'kerasHardSwish', HardSwish: 'kerasHardSwish' },
};

/**
 * Converts an operation to an equivalent tfjs layer.
 * @throws Error that names the operation if there is none
 */
export function toOperation(layer: KerasLayer, calls: readonly Call[]): ServedOperation {
  const { className, name, config } = layer;
  const operation = className === 'TFOpLambda' ? String(config['function']) : className;
  const [call] = calls;
  if (!call || calls.length > 1) return refuseLayer(layer, 'is called several times');
  const [first, second, ...others] = call.operands;
  const kind = arithmetic[operation];
  if (kind !== undefined && others.length === 0) return toArithmetic(layer, kind, first, second);
  const isFloat = /^cast$/i.test(operation) && /^b?float\d+$/.test(String(second));
  const activation = isFloat ? 'linear' : second === undefined ? activations[operation] : undefined;
  if (activation !== undefined && isReference(first)) {
    return { layer: { class_name: 'Activation', name, config: { name, activation } }, inputs: [first] };
  }
  return refuseLayer(layer, `is the operation ${operation}, which has no layer in TensorFlow.js`);
}

function toArithmetic(
  layer: KerasLayer,
  kind: 'Add' | 'Subtract' | 'Multiply' | 'Divide',
  first: unknown,
  second: unknown,
): ServedOperation {
  const { name } = layer;
  if (isReference(first) && isReference(second)) {
    if (kind !== 'Add' && kind !== 'Multiply') refuseLayer(layer, 'takes two tensors');
    return { layer: { class_name: kind, name, config: { name } }, inputs: [first, second] };
  }
  const [input, constant, isSwapped] = isReference(first) ? [first, second, false] : [second, first, true];
  const scaling = toScaling(kind, constant, isSwapped);
  if (!isReference(input) || !scaling) return refuseLayer(layer, 'takes more than a tensor and a number');
  return { layer: { class_name: 'Rescaling', name, config: { name, ...scaling } }, inputs: [input] };
}

/** An operation with a constant, as x · scale + offset. */
function toScaling(
  kind: 'Add' | 'Subtract' | 'Multiply' | 'Divide',
  constant: unknown,
  isSwapped: boolean,
): JsonObject | undefined {
  const numbers = isNumbers(constant) ? constant : undefined;
  if (numbers === undefined || (kind === 'Divide' && isSwapped)) return undefined;
  if (kind === 'Add') return { scale: 1, offset: numbers };
  if (kind === 'Multiply') return { scale: numbers, offset: 0 };
  if (kind === 'Divide') return { scale: mapNumbers(numbers, (value) => 1 / value), offset: 0 };
  return isSwapped ? { scale: -1, offset: numbers } : { scale: 1, offset: mapNumbers(numbers, (value) => -value) };
}

/** A number, or nested lists of numbers. */
type Numbers = number | readonly Numbers[];

function isNumbers(value: unknown): value is Numbers {
  return typeof value === 'number' || (Array.isArray(value) && value.length > 0 && value.every(isNumbers));
}

function mapNumbers(numbers: Numbers, change: (value: number) => number): Numbers {
  return typeof numbers === 'number' ? change(numbers) : numbers.map((each) => mapNumbers(each, change));
}
