import type { ModelTensorInfo, Tensor } from '@tensorflow/tfjs-core';

/** What the native library says of a tensor that it made. */
export interface TensorMetadata {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

/** An attribute as tfjs-node hands it to the native library; `type` is one of `TF_ATTR_…`. */
export interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** Numbers of a tensor, row by row; a bool is one byte. */
export type TensorElements = Float32Array | Int32Array | Uint8Array | BigInt64Array;

/** Elements of a tensor; strings come as one array of bytes each. */
export type TensorValues = TensorElements | Uint8Array[];

/** The native library below tfjs-node. Tensors are named by ids that are never used twice. */
export interface TensorFlowBinding {
  /** The values' memory is shared, not copied, until the tensor goes. */
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

/** tfjs-node's backend, as far as its binding goes. */
export interface NodeBackend {
  /** What tfjs-node runs every operation through. */
  binding: TensorFlowBinding;
  /** Ids of tensors in the native library; those that were not there yet are brought there. */
  getInputTensorIds(tensors: readonly object[]): number[];
  /** Runs a SavedModel as far as the nodes `outputs` need it. */
  runSavedModel(
    session: number,
    inputs: readonly Tensor[],
    infos: readonly ModelTensorInfo[],
    outputs: readonly string[],
  ): Tensor[];
}

/** What knows tfjs-node's backend: tfjs-node itself. */
interface Backends {
  findBackend(name: string): unknown;
}

/** tfjs-node's backend; its types leave out the binding. */
export function getNodeBackend(tf: Backends): NodeBackend {
  return tf.findBackend('tensorflow') as NodeBackend;
}

/** TensorFlow's version, e.g. 2.15.1. */
export function getTensorFlowVersion(tf: Backends): string {
  return getNodeBackend(tf).binding.TF_Version;
}
