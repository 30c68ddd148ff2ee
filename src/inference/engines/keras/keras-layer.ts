import { type JsonObject, toList, toObject } from './json-object.ts';

/** One layer as written by Keras 2, Keras 3 or tfjs. */
export interface KerasLayer {
  readonly className: string;
  readonly name: string;
  readonly config: JsonObject;
  /** Python module of the class: in Keras 3 an operation can have the class name of a layer. */
  readonly module: string;
  readonly inboundNodes: readonly unknown[];
  /** Input shape of the layer, which Keras 3 writes beside the configuration. */
  readonly buildShape: unknown;
}

/** A layer as tfjs reads it. */
export interface TfjsLayer {
  readonly class_name: string;
  readonly name: string;
  readonly config: JsonObject;
}

/** Version of the file format, and the supported layers. */
export interface KerasFormat {
  readonly isKeras3: boolean;
  /** Whether tfjs or `own-layers` has a layer of the class. */
  readonly hasLayer: (className: string) => boolean;
}

/** Reads the fields common to all layers. */
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

/** Whether a layer is a nested network. */
export function isModel({ config }: KerasLayer): boolean {
  return Array.isArray(config['layers']);
}

const operations = new Set([
  ...['Add', 'Subtract', 'Multiply', 'TrueDivide', 'Divide', 'Cast', 'Relu', 'Relu6', 'Silu', 'Sigmoid', 'Tanh'],
  ...['HardSigmoid', 'HardSilu', 'HardSwish'],
]);

/**
 * Whether a layer is an operation applied to a tensor by Python code. In some Keras 3 files an operation differs from the
 * layer of the same name only by having no `trainable` and taking tensors as separate arguments instead of a list.
 */
export function isOperation({ className, module, config, inboundNodes }: KerasLayer): boolean {
  if (className === 'TFOpLambda' || /(^|\.)ops(\.|$)/.test(module)) return true;
  const [first] = toList(toObject(inboundNodes[0])['args']);
  return operations.has(className) && !('trainable' in config) && first !== undefined && !Array.isArray(first);
}

/** The fix for a model that can't be served as a layers model. */
export const wayOut = "export a SavedModel: in Python model.export('saved'), and add that folder";

/** @throws Error that names the layer and the fix */
export function refuseLayer({ name, className }: Pick<KerasLayer, 'name' | 'className'>, reason: string): never {
  throw new Error(`the layer ${name} (${className}) ${reason}; ${wayOut}`);
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
