import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { TensorFlow } from '../../inference/engines/tensorflow.ts';
import {
  dataType,
  decodeSavedModel,
  type GraphProto,
  type MetaGraphProto,
  type NodeProto,
  type SavedModelProto,
  type ShapeProto,
  type TensorInfoProto,
} from '../graph/proto.ts';
import { toNodeName, toTensorKey } from '../graph/tensor-reference.ts';
import { toConstAttr } from './flat-graph.ts';
import { flattenGraph } from './flatten.ts';
import { foldConstants } from './fold-constants.ts';
import { FreezeRefusal } from './freeze-refusal.ts';
import { readDefinitions } from './op-definitions.ts';
import type { Variable } from './value.ts';
import { checkSize, readVariables } from './variables.ts';

/** An input or output of a frozen graph. */
export interface FrozenTensor {
  /** `node:output` */
  readonly name: string;
  readonly dtype: number;
  readonly shape: ShapeProto;
}

/** One signature of a SavedModel as a flat graph without variables or functions. */
export interface FrozenModel {
  readonly graph: GraphProto;
  readonly input: FrozenTensor;
  /** By their names in the signature. */
  readonly outputs: Readonly<Record<string, FrozenTensor>>;
}

/**
 * Freezes one signature of the SavedModel in `dir`.
 * @throws FreezeRefusal if a frozen graph wouldn't be equivalent
 * @throws Error if the files can't be read, or lack the tag set or the signature
 */
export async function freezeSavedModel(
  tf: TensorFlow,
  dir: string,
  tags: readonly string[],
  signature: string,
): Promise<FrozenModel> {
  const file = path.join(dir, 'saved_model.pb');
  const bytes = await readFile(file);
  const { metaGraphs } = decode(file, bytes);
  const at = findMetaGraph(file, metaGraphs, tags);
  const metaGraph = metaGraphs[at];
  if (metaGraph === undefined) throw new Error(`${file} lacks its meta graph ${String(at)}`);
  const { input, outputs } = findSignature(file, metaGraph, signature);
  const { nodes, variables, tensors } = flatten(metaGraph, input, Object.values(outputs));
  checkSize(variables.values());

  const values = readVariables(tf, dir, { savedModel: bytes, at, tags }, [...variables.values()]);
  const constants = new Map([...variables.keys()].map((name, index) => [name, values[index]]));
  const node = nodes.map((each) => {
    const tensor = constants.get(each.name);
    return tensor === undefined ? each : { ...each, attr: toConstAttr(tensor) };
  });
  const versions = metaGraph.graphDef.versions;
  const unfolded = versions === undefined ? { node } : { node, versions };
  const { graph, roots } = foldConstants(tf, unfolded, tensors);
  const toFrozen = (tensor: string, { dtype, tensorShape }: TensorInfoProto): FrozenTensor => ({
    name: toTensorKey(tensor),
    dtype,
    shape: tensorShape,
  });
  return {
    graph,
    input: toFrozen(toNodeName(input.name), input),
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([name, info], index) => [name, toFrozen(roots[index] ?? '', info)]),
    ),
  };
}

function decode(file: string, bytes: Uint8Array): SavedModelProto {
  try {
    return decodeSavedModel(bytes);
  } catch (error) {
    throw new Error(`${file} is damaged: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function findMetaGraph(file: string, metaGraphs: readonly MetaGraphProto[], tags: readonly string[]): number {
  const toSet = (names: readonly string[]): string => [...new Set(names)].sort().join(', ') || '(none)';
  const sets = metaGraphs.map(({ metaInfoDef }) => toSet(metaInfoDef.tags));
  const at = sets.indexOf(toSet(tags));
  if (at >= 0) return at;
  throw new Error(`${file} has no tag set ${toSet(tags)}; it has ${sets.join(' | ') || 'none'}`);
}

function findSignature(
  file: string,
  { signatureDef }: MetaGraphProto,
  name: string,
): { input: TensorInfoProto; outputs: Record<string, TensorInfoProto> } {
  const signature = signatureDef[name];
  if (signature === undefined) {
    const names = Object.keys(signatureDef).filter((each) => !each.startsWith('__'));
    throw new Error(`${file} has no signature ${name}; it has ${names.join(', ') || 'none'}`);
  }
  const inputs = Object.entries(signature.inputs);
  const [input] = inputs;
  if (input === undefined || inputs.length > 1) {
    const names = inputs.map(([each]) => each).join(', ');
    throw new FreezeRefusal(`the signature ${name} takes ${String(inputs.length)} inputs (${names}), not one`);
  }
  if (input[1].dtype === dataType.string) {
    throw new FreezeRefusal(`the input ${input[0]} of the signature ${name} is text, not pixels`);
  }
  return { input: input[1], outputs: signature.outputs };
}

/** Flattens everything that the outputs depend on; variables become constants without values. */
function flatten(
  metaGraph: MetaGraphProto,
  input: TensorInfoProto,
  outputs: readonly TensorInfoProto[],
): { nodes: NodeProto[]; variables: ReadonlyMap<string, Variable>; tensors: string[] } {
  const definitions = readDefinitions(metaGraph);
  const placeholder: NodeProto = {
    name: toNodeName(input.name),
    op: 'Placeholder',
    input: [],
    attr: { dtype: { type: input.dtype }, shape: { shape: input.tensorShape } },
  };
  const names = outputs.map(({ name }) => name);
  const { flat, tensors } = flattenGraph(metaGraph.graphDef, definitions, { tensor: input.name, placeholder }, names);
  const nodes = flat.toReachable([placeholder.name, ...tensors]);
  const stateful = nodes.find(({ op }) => definitions.isStateful(op));
  if (stateful !== undefined) {
    const what = stateful.op.includes('Table') ? 'a lookup table' : 'more than its input and weights';
    throw new FreezeRefusal(`its answer depends on ${what}: ${stateful.op} ${stateful.name}`);
  }
  const variables = nodes.flatMap(({ name }) => {
    const variable = flat.variables.get(name);
    return variable === undefined ? [] : [[name, variable] as const];
  });
  return { nodes, variables: new Map(variables), tensors };
}
