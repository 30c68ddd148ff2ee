import { lumaWeights } from '../../inference/engines/luma.ts';
import { chooseOutputs } from '../../inference/engines/outputs.ts';
import type { Manifest } from '../../model/manifest.ts';
import { toFloatConstant, toIntConstant } from '../graph/constant.ts';
import { GraphBuilder } from '../graph/graph-builder.ts';
import { dataType, type GraphProto } from '../graph/proto.ts';
import { toNodeName } from '../graph/tensor-reference.ts';
import type { FrozenModel } from './freeze.ts';

const float = { type: dataType.float };

/** Adds the manifest's colours and normalisation before a frozen SavedModel and its activation after it, as one graph. */
export function addPreAndPostProcessing(frozen: FrozenModel, manifest: Manifest): GraphProto {
  const { width, height } = manifest.input;
  const builder = new GraphBuilder();
  builder.addPlaceholder([-1, height, width, 3]);
  const pixels = addPreprocessing(builder, manifest.input, frozen.input.dtype);
  const input = toNodeName(frozen.input.name);
  for (const node of frozen.graph.node) {
    if (node.name === input) continue;
    const inputs = node.input.map((name) => (toNodeName(name) === input ? toSame(name, pixels) : toOwnName(name)));
    builder.nodes.push({ ...node, name: toOwnName(node.name), input: inputs });
  }
  const { scores, map } = chooseOutputs(Object.keys(frozen.outputs), manifest.output);
  addActivation(builder, 'scores', frozen.outputs[scores], manifest.output.activation);
  addActivation(builder, 'map', frozen.outputs[map ?? ''], manifest.output.activation);
  return { ...frozen.graph, node: builder.nodes };
}

/** Prefixes the model's node names to avoid collisions with the added nodes; keeps a leading `^`. */
function toOwnName(input: string): string {
  return input.startsWith('^') ? `^model/${input.slice(1)}` : `model/${input}`;
}

function toSame(input: string, pixels: string): string {
  return input.startsWith('^') ? `^${pixels}` : pixels;
}

function addPreprocessing(builder: GraphBuilder, input: Manifest['input'], wanted: number): string {
  const { scale, offset } = input.normalise;
  const [ordered, type] = addColour(builder, input.colour);
  const isUntouched = [scale].flat().every((value) => value === 1) && [offset].flat().every((value) => value === 0);
  // 0…255 is exact in every type.
  if (isUntouched) return addCast(builder, ordered, type, wanted);
  const scaled = builder.addNode(
    'scaled',
    'Mul',
    [addCast(builder, ordered, type, dataType.float), builder.addConstant(toPerChannel(scale))],
    { T: float },
  );
  const moved = builder.addNode('moved', 'AddV2', [scaled, builder.addConstant(toPerChannel(offset))], { T: float });
  return addCast(builder, moved, dataType.float, wanted);
}

function toPerChannel(values: number | readonly number[]): ReturnType<typeof toFloatConstant> {
  return typeof values === 'number'
    ? toFloatConstant(Float32Array.of(values), [])
    : toFloatConstant(Float32Array.from(values), [values.length]);
}

/** @returns the node with the network's channels, and its type */
function addColour(builder: GraphBuilder, colour: Manifest['input']['colour']): readonly [string, number] {
  switch (colour) {
    case 'rgb':
      return ['images', dataType.uint8];
    case 'bgr':
      return [addReversal(builder), dataType.uint8];
    case 'grey':
      return [addLuma(builder), dataType.float];
  }
}

/** One channel, rounded to integers. */
function addLuma(builder: GraphBuilder): string {
  const floats = addCast(builder, 'images', dataType.uint8, dataType.float);
  const weights = builder.addConstant(toFloatConstant(Float32Array.from(lumaWeights), [lumaWeights.length]));
  const parts = builder.addNode('luma_parts', 'Mul', [floats, weights], { T: float });
  const attr = { T: float, Tidx: { type: dataType.int32 }, keep_dims: { b: true } };
  const luma = builder.addNode('luma', 'Sum', [parts, builder.addConstant(toIntConstant([3]))], attr);
  const half = builder.addConstant(toFloatConstant(Float32Array.of(0.5), []));
  const raised = builder.addNode('luma_raised', 'AddV2', [luma, half], { T: float });
  return builder.addNode('grey', 'Floor', [raised], { T: float });
}

function addReversal(builder: GraphBuilder): string {
  const attr = { T: { type: dataType.uint8 }, Tidx: { type: dataType.int32 } };
  return builder.addNode('bgr', 'ReverseV2', ['images', builder.addConstant(toIntConstant([3]))], attr);
}

function addCast(
  builder: GraphBuilder,
  from: string,
  source: number,
  wanted: number,
  name = `cast_${String(source)}_${String(wanted)}`,
): string {
  if (source === wanted) return from;
  const attr = { SrcT: { type: source }, DstT: { type: wanted }, Truncate: { b: false } };
  return builder.addNode(name, 'Cast', [from], attr);
}

function addActivation(
  builder: GraphBuilder,
  name: string,
  output: FrozenModel['input'] | undefined,
  activation: Manifest['output']['activation'],
): void {
  if (!output) return;
  const from = addCast(builder, toOwnName(output.name), output.dtype, dataType.float, `${name}_float`);
  const op = { none: 'Identity', sigmoid: 'Sigmoid', softmax: 'Softmax' }[activation];
  builder.addNode(name, op, [from], { T: float });
}
