import type { ModelTensorInfo, Tensor } from '@tensorflow/tfjs-core';

/** Metadata of a tensor made by the native library. */
export interface TensorMetadata {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

/** An attribute as tfjs-node passes it to the native library; `type` is one of `TF_ATTR_…`. */
export interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** Elements of a numeric tensor in row-major order; a bool is one byte. */
export type TensorElements = Float32Array | Int32Array | Uint8Array | BigInt64Array;

/** Elements of any tensor; each string is an array of bytes. */
export type TensorValues = TensorElements | Uint8Array[];

/** tfjs-node's native binding. Tensors have ids that are never reused. */
export interface TensorFlowBinding {
  /** Shares the memory of `values` until the tensor is deleted. */
  createTensor(shape: readonly number[], dtype: number, values: TensorValues): number;
  deleteTensor(id: number): void;
  /** Copies the elements. */
  tensorDataSync(id: number): TensorValues;
  executeOp(
    name: string,
    attributes: readonly OpAttribute[],
    inputs: readonly number[],
    outputs: number,
  ): TensorMetadata[];
  /** @param tags separated by commas */
  loadSavedModel(dir: string, tags: string): number;
  deleteSavedModel(session: number): void;
  /** @param inputNames `node:output`, separated by commas, as are `outputNames` */
  runSavedModel(session: number, inputs: readonly number[], inputNames: string, outputNames: string): TensorMetadata[];
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_INT64: number;
  readonly TF_BOOL: number;
  readonly TF_UINT8: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
  readonly TF_Version: string;
}

/** The part of tfjs-node's backend around its binding. */
export interface NodeBackend {
  /** Every operation of tfjs-node goes through it. */
  binding: TensorFlowBinding;
  /** Ids of tensors in the native library; uploads those that are not there yet. */
  getInputTensorIds(tensors: readonly object[]): number[];
  /** Runs the part of a SavedModel that the nodes `outputs` need. */
  runSavedModel(
    session: number,
    inputs: readonly Tensor[],
    infos: readonly ModelTensorInfo[],
    outputs: readonly string[],
  ): Tensor[];
}

/** The part of tfjs-node that finds its backend. */
interface Backends {
  findBackend(name: string): unknown;
}

/** tfjs-node's backend with the binding, which tfjs-node's types omit. */
export function getNodeBackend(tf: Backends): NodeBackend {
  return tf.findBackend('tensorflow') as NodeBackend;
}

/** TensorFlow's version, e.g. 2.15.1. */
export function getTensorFlowVersion(tf: Backends): string {
  return getNodeBackend(tf).binding.TF_Version;
}
