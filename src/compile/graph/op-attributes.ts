import type { OpAttribute, TensorFlowBinding } from '../../inference/engines/tensorflow-binding.ts';
import { CompileRefusal } from './compile-refusal.ts';
import type { AttrProto, ShapeProto } from './proto.ts';

/** Converts the attributes that tfjs-node gives an operation to those of a node. */
export function toAttributes(
  binding: TensorFlowBinding,
  op: string,
  attributes: readonly OpAttribute[],
): Record<string, AttrProto> {
  return Object.fromEntries(
    attributes.map((attribute) => {
      const attr = toAttribute(binding, attribute);
      if (attr) return [attribute.name, attr];
      throw new CompileRefusal(`the attribute ${attribute.name} of ${op} has an unsupported type`);
    }),
  );
}

/** Writes a text attribute. */
export function toText(text: string): AttrProto {
  return { s: Buffer.from(text) };
}

/** Reads a text attribute. */
export function readText(attr: AttrProto | undefined): string | undefined {
  return attr?.s && Buffer.from(attr.s).toString('latin1');
}

function toAttribute(binding: TensorFlowBinding, { type, value }: OpAttribute): AttrProto | undefined {
  const { TF_ATTR_STRING, TF_ATTR_INT, TF_ATTR_FLOAT, TF_ATTR_BOOL, TF_ATTR_TYPE, TF_ATTR_SHAPE } = binding;
  if (type === TF_ATTR_STRING && typeof value === 'string') return toText(value);
  if (type === TF_ATTR_INT) return isNumbers(value) ? { list: { i: value } } : ifNumber(value, (i) => ({ i }));
  if (type === TF_ATTR_FLOAT) return isNumbers(value) ? { list: { f: value } } : ifNumber(value, (f) => ({ f }));
  if (type === TF_ATTR_BOOL && typeof value === 'boolean') return { b: value };
  if (type === TF_ATTR_TYPE) return ifNumber(value, (dtype) => ({ type: dtype }));
  if (type === TF_ATTR_SHAPE && isNumbers(value)) return { shape: toShape(value) };
  return undefined;
}

/** Writes a shape; -1 is any size. */
export function toShape(sizes: readonly number[]): ShapeProto {
  return { dim: sizes.map((size) => ({ size })) };
}

function ifNumber(value: unknown, toAttr: (value: number) => AttrProto): AttrProto | undefined {
  return typeof value === 'number' ? toAttr(value) : undefined;
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((element) => typeof element === 'number');
}
