import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readConstant } from '../src/compile/graph/constant.ts';
import type { AttrProto, NodeProto } from '../src/compile/graph/proto.ts';
import { simplifyGraph } from '../src/compile/simplify/simplify.ts';
import { traceNetwork } from '../src/compile/trace/trace.ts';
import type { TensorFlow } from '../src/inference/engines/tensorflow.ts';
import { loadModelFiles, toFileHash } from '../src/model/model-files.ts';
import { findVersion, loadModelStore } from '../src/model/model-store.ts';

/**
 * Writes a layers model once more as the graph model that TensorFlow's converter would make of it: batch norm folded
 * into weights, convolution, bias and Relu6 left to what runs it.
 */
export async function writeGraphModel(tf: TensorFlow, modelsDir: string, from: string, name: string): Promise<void> {
  const found = findVersion(loadModelStore(modelsDir), from);
  if (found.kind === 'broken') throw new Error(found.reason);
  const { model } = found;
  const { graph, shapes } = await traceNetwork(tf, model, await loadModelFiles(model));
  const { node } = simplifyGraph(graph, ['images', 'scores'], shapes);
  const files = toGraphFiles(node);
  const dir = path.join(modelsDir, name, '1');
  mkdirSync(dir, { recursive: true });
  for (const [file, bytes] of files) writeFileSync(path.join(dir, file), bytes);
  const { input, output } = model.manifest;
  const manifest = {
    ...model.manifest,
    format: 'tfjs-graph',
    // What was traced has them inside.
    input: { ...input, normalise: { scale: 1, offset: 0 } },
    output: { ...output, activation: 'none' },
    files: Object.fromEntries(files.map(([file, bytes]) => [file, toFileHash(bytes)])),
  };
  writeFileSync(path.join(dir, 'manifest.json'), JSON.stringify(manifest));
}

function toGraphFiles(nodes: readonly NodeProto[]): [string, Buffer][] {
  const weights: { name: string; shape: readonly number[]; dtype: string }[] = [];
  const shards: Buffer[] = [];
  const node = nodes.map((each) => {
    const constant = readConstant(each);
    if (!constant) return toJson(each);
    const { values, shape } = constant;
    weights.push({ name: each.name, shape, dtype: values instanceof Float32Array ? 'float32' : 'int32' });
    shards.push(Buffer.from(values.buffer, values.byteOffset, values.byteLength));
    return { name: each.name, op: 'Const', attr: { dtype: { type: constant.dtype } } };
  });
  const modelTopology = { node, versions: { producer: 1087 } };
  const weightsManifest = [{ paths: ['weights.bin'], weights }];
  return [
    ['model.json', Buffer.from(JSON.stringify({ format: 'graph-model', modelTopology, weightsManifest }))],
    ['weights.bin', Buffer.concat(shards)],
  ];
}

/** tfjs knows no uint8; pixels come as floats. */
function toJson({ name, op, input, attr }: NodeProto): object {
  if (op === 'Placeholder') return { name, op, attr: { dtype: { type: 1 }, shape: attr['shape'] } };
  const entries = Object.entries(attr).map(([key, value]) => [key, toJsonAttribute(value)]);
  return { name, op, input, attr: Object.fromEntries(entries) as unknown };
}

function toJsonAttribute(attr: AttrProto): unknown {
  return attr.s ? { s: Buffer.from(attr.s).toString('base64') } : attr;
}
