import type { TensorElements } from '../../inference/engines/tensorflow-binding.ts';
import { toShape } from './op-attributes.ts';
import { dataType, type NodeProto, type TensorProto } from './proto.ts';

/** A tensor with known values, in row-major order. */
export interface Constant {
  readonly dtype: number;
  readonly shape: readonly number[];
  readonly values: TensorElements;
}

/** Makes an int32 constant: a vector, or a scalar from a number. */
export function toIntConstant(values: number | readonly number[]): Constant {
  const isScalar = typeof values === 'number';
  const elements = Int32Array.from(isScalar ? [values] : values);
  return { dtype: dataType.int32, shape: isScalar ? [] : [elements.length], values: elements };
}

/** Makes a float constant. */
export function toFloatConstant(values: Float32Array, shape: readonly number[]): Constant {
  return { dtype: dataType.float, shape, values };
}

/** Converts a constant to a node of a graph. */
export function toConstNode(name: string, { dtype, shape, values }: Constant): NodeProto {
  const tensor = toTensorProto(dtype, shape, values);
  return { name, op: 'Const', input: [], attr: { dtype: { type: dtype }, value: { tensor } } };
}

/** Converts elements to a tensor message. */
export function toTensorProto(dtype: number, shape: readonly number[], values: TensorElements): TensorProto {
  return { dtype, tensorShape: toShape(shape), tensorContent: toBytes(values) };
}

/** Reads a float or int32 constant of a graph; undefined for other nodes. */
export function readConstant(node: NodeProto | undefined): Constant | undefined {
  const tensor = node?.op === 'Const' ? node.attr['value']?.tensor : undefined;
  if (!tensor || tensor.tensorShape.unknownRank === true) return undefined;
  const shape = tensor.tensorShape.dim.map(({ size }) => size);
  const count = shape.reduce((product, size) => product * size, 1);
  if (tensor.dtype === dataType.float) {
    return { dtype: tensor.dtype, shape, values: readFloats(tensor, count) };
  }
  if (tensor.dtype !== dataType.int32) return undefined;
  const bytes = toContent(tensor);
  const values = bytes ? new Int32Array(bytes) : Int32Array.from(spread(tensor.intVal ?? [], count));
  return { dtype: tensor.dtype, shape, values };
}

function readFloats(tensor: TensorProto, count: number): Float32Array {
  const bytes = toContent(tensor);
  return bytes ? new Float32Array(bytes) : Float32Array.from(spread(tensor.floatVal ?? [], count));
}

/** Copied, as the bytes of a decoded message may be unaligned for a typed array. */
function toContent({ tensorContent }: TensorProto): ArrayBuffer | undefined {
  return tensorContent && tensorContent.length > 0 ? Uint8Array.from(tensorContent).buffer : undefined;
}

/** TensorFlow omits trailing elements equal to the last one. */
function spread(values: readonly number[], count: number): number[] {
  return Array.from({ length: count }, (_, index) => values[index] ?? values.at(-1) ?? 0);
}

/** A view of the bytes of elements. */
export function toBytes(values: TensorElements): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
