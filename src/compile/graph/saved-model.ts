import type { Size } from '../../image/types.ts';
import { CompileRefusal } from './compile-refusal.ts';
import { toShape } from './op-attributes.ts';
import { dataType, encodeSavedModel, type GraphProto, type TensorInfoProto } from './proto.ts';

/** Protobuf's limit for a message, minus room for everything beside the constants. */
const maxBytes = 2 ** 31 - 2 ** 24;

/**
 * Writes a graph from uint8 `images` to float32 `scores`, and `map` if it has one, as a SavedModel.
 * @throws CompileRefusal if it is too large
 */
export function toSavedModel(graph: GraphProto, { width, height }: Size, labels: number, map?: Size): Uint8Array {
  const constants = graph.node.map(({ attr }) => attr['value']?.tensor?.tensorContent?.length ?? 0);
  const bytes = constants.reduce((sum, length) => sum + length, 0);
  if (bytes > maxBytes) throw new CompileRefusal(`its weights are ${String(bytes)} bytes, a graph holds 2 GB`);
  const images = { name: 'images:0', dtype: dataType.uint8, tensorShape: toShape([-1, height, width, 3]) };
  const scores = { name: 'scores:0', dtype: dataType.float, tensorShape: toShape([-1, labels]) };
  const outputs = { scores, ...(map && { map: toMapInfo(map, labels) }) };
  const signature = { inputs: { images }, outputs, methodName: 'tensorflow/serving/predict' };
  return encodeSavedModel({
    savedModelSchemaVersion: 1,
    metaGraphs: [{ metaInfoDef: { tags: ['serve'] }, graphDef: graph, signatureDef: { serving_default: signature } }],
  });
}

function toMapInfo({ width, height }: Size, labels: number): TensorInfoProto {
  return { name: 'map:0', dtype: dataType.float, tensorShape: toShape([-1, height, width, labels]) };
}
