import protobuf from 'protobufjs';
import type { TensorFlow } from '../../inference/engines/tensorflow.ts';
import { toTensorProto } from '../graph/constant.ts';
import { dataType, encodeSavedModel, type NodeProto, type TensorProto } from '../graph/proto.ts';
import { FreezeRefusal } from './freeze-refusal.ts';
import { readableTypes, type Session, useSession, withSavedModel } from './session.ts';
import type { Variable } from './value.ts';

/** Bytes per element. */
const elementSizes = new Map<number, number>([
  [dataType.float, 4],
  [dataType.double, 8],
  [dataType.int32, 4],
  [dataType.uint8, 1],
  [dataType.int16, 2],
  [dataType.int8, 1],
  [dataType.complex64, 8],
  [dataType.int64, 8],
  [dataType.bool, 1],
  [dataType.bfloat16, 2],
  [dataType.uint16, 2],
  [dataType.half, 2],
]);

// protobuf limits messages to 2^31 bytes; the difference is for the nodes.
const maxBytes = 2_000_000_000;

/** Checks the total size of the variables with known shapes. @throws FreezeRefusal above the limit of one graph */
export function checkSize(variables: Iterable<Variable>): void {
  let bytes = 0;
  for (const { name, attr, dtype } of variables) {
    const elementSize = elementSizes.get(dtype.type);
    if (elementSize === undefined) throw new FreezeRefusal(`${name} has element type ${String(dtype.type)}`);
    const dim = attr['shape']?.shape?.dim ?? [];
    bytes += dim.reduce((product, { size }) => product * Math.max(size, 0), elementSize);
  }
  if (bytes > maxBytes) {
    throw new FreezeRefusal(`its weights take ${(bytes / 1e9).toFixed(1)} GB, more than one graph can hold`);
  }
}

/**
 * Reads variables after the SavedModel in `dir` has restored and initialised them.
 * @param source the bytes of its `saved_model.pb`, the index of the meta graph and its tags
 */
export function readVariables(
  tf: TensorFlow,
  dir: string,
  { savedModel, at, tags }: { savedModel: Uint8Array; at: number; tags: readonly string[] },
  variables: readonly Variable[],
): TensorProto[] {
  // Loaded even without variables, to detect operations that this version of TensorFlow lacks.
  if (variables.length === 0) return useSession(tf, dir, tags, dir, () => []);
  const reads = variables.map((variable, index) => toRead(variable, `image_check/${String(index)}`));
  const nodes = reads.flatMap((read) => read.nodes);
  return withSavedModel(addNodes(savedModel, at, nodes), dir, (copy) =>
    useSession(tf, copy, tags, dir, (session) => fetchVariables(session, variables, reads)),
  );
}

interface Read {
  readonly nodes: NodeProto[];
  readonly tensor: string;
}

/** Makes nodes that read a variable: newer Keras exports read variables only inside functions. */
function toRead({ name, op, dtype }: Variable, prefix: string): Read {
  const nodes: NodeProto[] = [];
  const add = (kind: string, input: string, attr: NodeProto['attr']): string => {
    nodes.push({ name: `${prefix}/${kind}`, op: kind, input: [input], attr });
    return `${prefix}/${kind}`;
  };
  const value = op === 'VarHandleOp' ? add('ReadVariableOp', name, { dtype }) : add('Identity', name, { T: dtype });
  if (readableTypes.has(dtype.type)) return { nodes, tensor: value };
  const uint8 = { type: dataType.uint8 };
  const bytes = add('Bitcast', value, { T: dtype, type: uint8 });
  return { nodes, tensor: add('Cast', bytes, { SrcT: uint8, DstT: { type: dataType.int32 } }) };
}

function fetchVariables(session: Session, variables: readonly Variable[], reads: readonly Read[]): TensorProto[] {
  const fetched = session.fetch(reads.map(({ tensor }) => tensor));
  const tensors = fetched.map(({ shape, data }, index) => {
    const type = variables[index]?.dtype.type ?? 0;
    if (data === undefined) throw new FreezeRefusal(`a variable has element type ${String(type)}`);
    if (readableTypes.has(type)) return toTensorProto(type, shape, data);
    // Bitcast to bytes adds a dimension for elements of more than one byte.
    const sizes = elementSizes.get(type) === 1 ? shape : shape.slice(0, -1);
    return toTensorProto(type, sizes, Uint8Array.from(data as Int32Array));
  });
  const total = tensors.reduce((sum, { tensorContent }) => sum + (tensorContent?.length ?? 0), 0);
  if (total > maxBytes) throw new FreezeRefusal('its weights are more than one graph can hold');
  return tensors;
}

/**
 * Copies one meta graph of a SavedModel with nodes added. Its bytes stay unchanged, including the fields missing in proto.ts
 * (how to restore, what to initialise): protobuf merges the fields of a message that occurs twice.
 */
function addNodes(savedModel: Uint8Array, at: number, node: NodeProto[]): Uint8Array {
  const addition = encodeSavedModel({
    savedModelSchemaVersion: 1,
    metaGraphs: [{ metaInfoDef: { tags: [] }, graphDef: { node }, signatureDef: {} }],
  });
  const parts = [toMetaGraphs(savedModel)[at], toMetaGraphs(addition)[0]].map((bytes) => bytes ?? new Uint8Array());
  const writer = protobuf.Writer.create();
  return writer.uint32(schemaVersionTag).uint32(1).uint32(metaGraphTag).bytes(Buffer.concat(parts)).finish();
}

// Tags of the message SavedModel: field 1 as varint, field 2 as bytes.
const schemaVersionTag = 8;
const metaGraphTag = 18;

function toMetaGraphs(savedModel: Uint8Array): Uint8Array[] {
  const reader = protobuf.Reader.create(savedModel);
  const metaGraphs: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === metaGraphTag) metaGraphs.push(reader.bytes());
    else reader.skipType(tag & 7);
  }
  return metaGraphs;
}
