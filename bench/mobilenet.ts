import '@tensorflow/tfjs-backend-cpu';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, type LayersModel, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { toFileHash } from '../src/model/model-files.ts';
import { toLayersFiles } from '../test/fixtures/layers-files.ts';

const labels = ['blurry', 'dark', 'overexposed'];

/** MobileNetV2 (arXiv 1801.04381, table 2): expansion, channels, blocks, stride of the first block. */
const stages = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/** Keeps the numbers large enough, through all layers, for scores to differ. */
const spread = 'heNormal';

/** Which of the family. */
export interface MobileNetShape {
  /** Width and height of its input. */
  readonly size: number;
  /** Share of the channels, α. */
  readonly width: number;
}

/** Writes a MobileNetV2, its weights left to chance: what a run costs does not depend on them. */
export async function writeMobileNet(
  modelsDir: string,
  name: string,
  { size, width }: MobileNetShape = { size: 224, width: 1 },
): Promise<void> {
  await tf.setBackend('cpu');
  const files = await toLayersFiles(createMobileNet({ size, width }));
  const dir = path.join(modelsDir, name, '1');
  mkdirSync(dir, { recursive: true });
  for (const [file, bytes] of files) writeFileSync(path.join(dir, file), bytes);
  const manifest = {
    format: 'tfjs-layers',
    input: { width: size, height: size, resize: 'cover', normalise: { scale: 1 / 127.5, offset: -1 } },
    output: { kind: 'multi-label', activation: 'sigmoid', labels },
    files: Object.fromEntries(files.map(([file, bytes]) => [file, toFileHash(bytes)])),
  };
  writeFileSync(path.join(dir, 'manifest.json'), JSON.stringify(manifest));
}

function createMobileNet({ size, width }: MobileNetShape): LayersModel {
  const input = layers.input({ shape: [size, size, 3] });
  let channels = toChannels(32, width);
  let at = convolve(input, channels, 3, 2);
  for (const [expansion, fullFilters, blocks, firstStride] of stages) {
    const filters = toChannels(fullFilters, width);
    for (let block = 0; block < blocks; block += 1) {
      at = addBlock(at, { channels, expansion, filters, stride: block === 0 ? firstStride : 1 });
      channels = filters;
    }
  }
  at = layers.globalAveragePooling2d({}).apply(convolve(at, 1280, 1, 1)) as SymbolicTensor;
  const scores = layers.dense({ units: labels.length }).apply(at) as SymbolicTensor;
  return model({ inputs: input, outputs: scores });
}

/** As Keras rounds them: to eights, never down by more than a tenth. */
function toChannels(full: number, width: number): number {
  const rounded = Math.max(8, Math.floor((full * width + 4) / 8) * 8);
  return rounded < 0.9 * full * width ? rounded + 8 : rounded;
}

interface Block {
  readonly channels: number;
  readonly expansion: number;
  readonly filters: number;
  readonly stride: number;
}

function addBlock(from: SymbolicTensor, { channels, expansion, filters, stride }: Block): SymbolicTensor {
  const expanded = expansion === 1 ? from : convolve(from, channels * expansion, 1, 1);
  const depthwise = layers.depthwiseConv2d({
    kernelSize: 3,
    strides: stride,
    padding: 'same',
    useBias: false,
    // Keras counts all channels as going into each.
    depthwiseInitializer: initializers.randomNormal({ mean: 0, stddev: Math.sqrt(2 / 9) }),
  });
  const filtered = activate(normalise(depthwise.apply(expanded) as SymbolicTensor));
  const project = layers.conv2d({ filters, kernelSize: 1, padding: 'same', useBias: false, kernelInitializer: spread });
  const projected = normalise(project.apply(filtered) as SymbolicTensor);
  if (stride !== 1 || channels !== filters) return projected;
  return layers.add().apply([from, projected]) as SymbolicTensor;
}

function convolve(from: SymbolicTensor, filters: number, kernelSize: number, strides: number): SymbolicTensor {
  const convolution = layers.conv2d({
    filters,
    kernelSize,
    strides,
    padding: 'same',
    useBias: false,
    kernelInitializer: spread,
  });
  return activate(normalise(convolution.apply(from) as SymbolicTensor));
}

function normalise(from: SymbolicTensor): SymbolicTensor {
  return layers.batchNormalization().apply(from) as SymbolicTensor;
}

function activate(from: SymbolicTensor): SymbolicTensor {
  return layers.reLU({ maxValue: 6 }).apply(from) as SymbolicTensor;
}
