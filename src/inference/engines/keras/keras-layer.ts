import { type JsonObject, toList, toObject } from './json-object.ts';

/** One layer as a file has it: of Keras 2, of Keras 3 or of tfjs itself. */
export interface KerasLayer {
  readonly className: string;
  readonly name: string;
  readonly config: JsonObject;
  /** Where Python has the class; an operation of Keras 3 may have the class name of a layer. */
  readonly module: string;
  readonly inboundNodes: readonly unknown[];
  /** The shape that the layer was built for, which Keras 3 keeps beside the configuration. */
  readonly buildShape: unknown;
}

/** A layer as tfjs reads it. */
export interface TfjsLayer {
  readonly class_name: string;
  readonly name: string;
  readonly config: JsonObject;
}

/** What a file is, and which layers can be served. */
export interface KerasFormat {
  readonly isKeras3: boolean;
  /** Whether tfjs, or this program, has a layer of the class. */
  readonly hasLayer: (className: string) => boolean;
}

/** Reads what every layer has. */
export function toKerasLayer(value: unknown): KerasLayer {
  const raw = toObject(value);
  const config = toObject(raw['config']);
  return {
    className: toText(raw['class_name']),
    name: toText(raw['name'] ?? config['name']),
    config: Array.isArray(raw['config']) ? { layers: raw['config'] } : config,
    module: toText(raw['module']),
    inboundNodes: toList(raw['inbound_nodes']),
    buildShape: toObject(raw['build_config'])['input_shape'] ?? config['build_input_shape'],
  };
}

/** Tells whether a layer is a network of its own. */
export function isModel({ config }: KerasLayer): boolean {
  return Array.isArray(config['layers']);
}

const operations = new Set([
  ...['Add', 'Subtract', 'Multiply', 'TrueDivide', 'Divide', 'Cast', 'Relu', 'Relu6', 'Silu', 'Sigmoid', 'Tanh'],
  ...['HardSigmoid', 'HardSilu', 'HardSwish'],
]);

/**
 * Tells whether a layer is an operation that Python code applied to a tensor. In some files of Keras 3 only that it can't be
 * trained, and takes its tensors apart and not in a list, tells it from the layer of the same name.
 */
export function isOperation({ className, module, config, inboundNodes }: KerasLayer): boolean {
  if (className === 'TFOpLambda' || /(^|\.)ops(\.|$)/.test(module)) return true;
  const [first] = toList(toObject(inboundNodes[0])['args']);
  return operations.has(className) && !('trainable' in config) && first !== undefined && !Array.isArray(first);
}

/** What to do with a model that can't be served as a layers model. */
export const wayOut = "export a SavedModel: in Python model.export('saved'), and add that folder";

/** @throws Error that names the layer, and the way out. */
export function refuseLayer({ name, className }: Pick<KerasLayer, 'name' | 'className'>, reason: string): never {
  throw new Error(`the layer ${name} (${className}) ${reason}; ${wayOut}`);
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
