import { chooseOutputs } from '../inference/engines/outputs.ts';
import type { Manifest } from '../model/manifest.ts';
import { toFloatConstant, toIntConstant } from './constant.ts';
import type { FrozenModel } from './freeze/freeze.ts';
import { GraphBuilder } from './graph-builder.ts';
import { dataType, type GraphProto } from './proto.ts';
import { toNodeName } from './editable-graph.ts';

const float = { type: dataType.float };

/** Puts the manifest's colour order, normalisation and activation around a frozen SavedModel, as nodes of one graph. */
export function surroundFrozen(frozen: FrozenModel, manifest: Manifest): GraphProto {
  const { width, height } = manifest.input;
  const builder = new GraphBuilder();
  builder.addPlaceholder([-1, height, width, 3]);
  const pixels = addPrelude(builder, manifest.input, frozen.input.dtype);
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

/** Keeps the names of the model's nodes apart from those around it; `^` before a name stays there. */
function toOwnName(input: string): string {
  return input.startsWith('^') ? `^model/${input.slice(1)}` : `model/${input}`;
}

function toSame(input: string, pixels: string): string {
  return input.startsWith('^') ? `^${pixels}` : pixels;
}

function addPrelude(builder: GraphBuilder, input: Manifest['input'], wanted: number): string {
  const { scale, offset } = input.normalise;
  const ordered = input.colour === 'bgr' ? addReversal(builder) : 'images';
  const isUntouched = [scale].flat().every((value) => value === 1) && [offset].flat().every((value) => value === 0);
  // 0…255 is the same number in every type.
  if (isUntouched) return addCast(builder, ordered, dataType.uint8, wanted);
  const scaled = builder.addNode(
    'scaled',
    'Mul',
    [addCast(builder, ordered, dataType.uint8, dataType.float), builder.addConstant(toPerChannel(scale))],
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
