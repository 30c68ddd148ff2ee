import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { Size } from '../../image/types.ts';
import type { TensorFlow } from '../../inference/engines/tensorflow.ts';
import { qualityLabels } from '../samples/labels.ts';
import { blockSide, createDctFilters } from './dct-filters.ts';

/** Brings 0…255 to -1…1: x · scale + offset. */
export const normalise = { scale: 1 / 127.5, offset: -1 } as const;

/** Names of the layers that the loss is computed on: before the sigmoid, because a saturated one has no gradient. */
export const logitsLayers = { scores: 'logits', map: 'map-logits' } as const;

interface Convolution {
  readonly filters: number;
  readonly size: number;
  readonly stride: number;
}

/**
 * The first one has to resolve fine detail: eight pixels, the side of a JPEG block. It has no padding, so that the compiler
 * can fold the input's normalisation into its weights.
 */
const convolutions: readonly Convolution[] = [
  { filters: 32, size: blockSide, stride: 4 },
  { filters: 32, size: 3, stride: 2 },
  { filters: 64, size: 3, stride: 2 },
  { filters: 64, size: 3, stride: 1 },
  { filters: 96, size: 3, stride: 2 },
];
const hiddenUnits = 48;
const normEpsilon = 1e-3;
/** Batch normalisation of the first, largest output would take as long as the rest of the network. */
const firstNormed = 1;

/** Batch normalisation speeds up learning; for serving it is folded into the weights. */
export type NetworkForm = 'learning' | 'serving';

/**
 * Builds the untrained network: float32 [n, height, width, 3] in -1…1 to scores [n, labels] in 0…1 and their map
 * [n, rows, columns, labels]. Its weights fit rasters of any size. All operations exist in the wasm backend, too.
 */
export function createNetwork(tf: TensorFlow, seed: number, size: Size, form: NetworkForm): LayersModel {
  const input = tf.input({ shape: [size.height, size.width, 3], name: 'picture' });
  const features = convolutions.reduce(
    (from, convolution, index) => convolve(tf, from, convolution, index, seed, form),
    input,
  );
  const glorot = (offset: number) => tf.initializers.glorotNormal({ seed: seed + convolutions.length + offset });
  const labels = qualityLabels.length;
  const mapLogits = apply(
    tf.layers.conv2d({ name: logitsLayers.map, filters: labels, kernelSize: 1, kernelInitializer: glorot(0) }),
    features,
  );
  const map = apply(tf.layers.activation({ name: 'map', activation: 'sigmoid' }), mapLogits);
  const pooled = tf.layers.concatenate({ name: 'pooled' });
  const hidden = tf.layers.dense({
    name: 'hidden',
    units: hiddenUnits,
    activation: 'relu',
    kernelInitializer: glorot(1),
  });
  const logits = tf.layers.dense({ name: logitsLayers.scores, units: labels, kernelInitializer: glorot(2) });
  const summary = apply(pooled, [...poolFrame(tf, features, 'features'), ...poolFrame(tf, map, 'map')]);
  const scores = tf.layers.activation({ name: 'scores', activation: 'sigmoid' });
  const outputs = [apply(scores, apply(logits, apply(hidden, summary))), map];
  const network = tf.model({ inputs: input, outputs, name: 'quality' });
  if (form === 'learning') setDctFilters(tf, network);
  return network;
}

/** Initialises the first convolution with the DCT of JPEG. */
function setDctFilters(tf: TensorFlow, network: LayersModel): void {
  tf.tidy(() => {
    const waves = createDctFilters().map((wave) => tf.tensor3d(wave, [blockSide, blockSide, 3]));
    network.getLayer(toNames(0).convolution).setWeights([tf.stack(waves, 3), tf.zeros([waves.length])]);
  });
}

/** Builds the names of the layers of one convolution. */
function toNames(index: number): { convolution: string; norm: string } {
  return { convolution: `convolution${String(index + 1)}`, norm: `norm${String(index + 1)}` };
}

function convolve(
  tf: TensorFlow,
  from: SymbolicTensor,
  { filters, size, stride }: Convolution,
  index: number,
  seed: number,
  form: NetworkForm,
): SymbolicTensor {
  const { convolution, norm } = toNames(index);
  const shape = {
    name: convolution,
    filters,
    kernelSize: size,
    strides: stride,
    padding: index === 0 ? 'valid' : 'same',
    kernelInitializer: tf.initializers.heNormal({ seed: seed + index }),
  } as const;
  const isNormed = form === 'learning' && index >= firstNormed;
  if (!isNormed) return apply(tf.layers.conv2d({ ...shape, activation: 'relu' }), from);
  const normed = apply(
    tf.layers.batchNormalization({ name: norm, momentum: 0.98, epsilon: normEpsilon }),
    apply(tf.layers.conv2d({ ...shape, useBias: false }), from),
  );
  return apply(tf.layers.activation({ name: `relu${String(index + 1)}`, activation: 'relu' }), normed);
}

/** Builds the network for serving from a trained one: batch normalisation is folded into the convolutions. */
export function toServing(tf: TensorFlow, learnt: LayersModel, size: Size): LayersModel {
  const serving = createNetwork(tf, 0, size, 'serving');
  tf.tidy(() => {
    for (const layer of serving.layers.filter(({ weights }) => weights.length > 0)) {
      const own = learnt.getLayer(layer.name).getWeights();
      const index = convolutions.findIndex((_, at) => toNames(at).convolution === layer.name);
      layer.setWeights(index < firstNormed ? own : foldNorm(own, learnt.getLayer(toNames(index).norm).getWeights()));
    }
  });
  return serving;
}

function foldNorm([kernel]: readonly Tensor[], [gamma, beta, mean, variance]: readonly Tensor[]): Tensor[] {
  if (!kernel || !gamma || !beta || !mean || !variance) throw new Error('a convolution has no batch normalisation');
  const factor = gamma.div(variance.add(normEpsilon).sqrt());
  return [kernel.mul(factor), beta.sub(mean.mul(factor))];
}

/**
 * Pools the cells of a frame. The mean shows exposure; the maxima of a cell and of a region find the sharp subject in front
 * of a soft background. Not by globalMaxPooling2d: its gradient counts every tie, in an all-black picture every cell.
 */
function poolFrame(tf: TensorFlow, cells: SymbolicTensor, name: string): SymbolicTensor[] {
  const toMost = (from: SymbolicTensor, what: string): SymbolicTensor => {
    const [, rows = 1, columns = 1] = from.shape.map((side) => side ?? 1);
    const most = apply(tf.layers.maxPooling2d({ name: `most-${what}`, poolSize: [rows, columns] }), from);
    return apply(tf.layers.flatten({ name: `flat-${what}` }), most);
  };
  const region = tf.layers.averagePooling2d({ name: `regions-${name}`, poolSize: [3, 4], strides: [3, 4] });
  return [
    apply(tf.layers.globalAveragePooling2d({ name: `mean-${name}` }), cells),
    toMost(cells, `cell-${name}`),
    toMost(apply(region, cells), `region-${name}`),
  ];
}

/** Narrows the type: a layer applied to symbolic tensors returns one. */
function apply(
  layer: { apply: (inputs: SymbolicTensor | SymbolicTensor[]) => unknown },
  inputs: SymbolicTensor | SymbolicTensor[],
): SymbolicTensor {
  return layer.apply(inputs) as SymbolicTensor;
}
