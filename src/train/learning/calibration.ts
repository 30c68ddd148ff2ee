import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { TensorFlow } from '../../inference/engines/tensorflow.ts';
import type { Manifest } from '../../model/manifest.ts';
import { qualityLabels, type Target } from '../samples/labels.ts';
import { inputShape } from '../samples/network-input.ts';
import { SampleReader } from '../samples/sample-reader.ts';
import type { SampleSource } from '../samples/sample-source.ts';
import type { Sample } from '../samples/samples.ts';
import { toPictures } from './batch.ts';
import { logitsLayers } from './network.ts';
import { type Calibrator, toSigmoid } from './platt-scaling.ts';
import { choosePolicy, fitCalibrators } from './thresholds.ts';

const batchSize = 8;

/**
 * Calibrates a network's scores to probabilities and chooses the thresholds, on the calibration set.
 * @param source samples of the calibration set, numbered from 0
 */
export async function calibrateNetwork(
  tf: TensorFlow,
  network: LayersModel,
  source: SampleSource,
  count: number,
  onSample: (done: number, total: number) => void,
): Promise<Manifest['policy']> {
  const logits: number[][] = [];
  const targets: Target[][] = [];
  const reader = new SampleReader(source);
  const head = tf.model({ inputs: network.inputs, outputs: network.getLayer(logitsLayers.scores).output });
  while (logits.length < count) {
    const samples = await reader.read(Math.min(batchSize, count - logits.length), inputShape, count);
    logits.push(...toLogits(tf, head, samples));
    targets.push(...samples.map(toTargets));
    onSample(logits.length, count);
  }
  const calibrators = fitCalibrators(logits, targets);
  applyCalibrators(tf, network, calibrators);
  const scores = logits.map((row) =>
    row.map((logit, label) => {
      const { slope = 1, offset = 0 } = calibrators[label] ?? {};
      return toSigmoid(slope * logit + offset);
    }),
  );
  return choosePolicy(scores, targets);
}

function toLogits(tf: TensorFlow, head: LayersModel, samples: readonly Sample[]): number[][] {
  const rasters = samples.map(({ raster }) => raster);
  return tf.tidy(() => (head.apply(toPictures(tf, rasters, inputShape)) as Tensor).arraySync() as number[][]);
}

function toTargets({ targets }: Sample): Target[] {
  return qualityLabels.map((_, label) => ({ value: targets[label * 2] ?? 0, weight: targets[label * 2 + 1] ?? 0 }));
}

/** Folds slopes and offsets into the weights of the last layer, so that they cost nothing. */
function applyCalibrators(tf: TensorFlow, network: LayersModel, calibrators: readonly Calibrator[]): void {
  const layer = network.getLayer(logitsLayers.scores);
  tf.tidy(() => {
    const slopes = tf.tensor1d(calibrators.map(({ slope }) => slope));
    const offsets = tf.tensor1d(calibrators.map(({ offset }) => offset));
    const [kernel, bias] = layer.getWeights();
    if (!kernel || !bias) throw new Error(`${layer.name} has no weights`);
    layer.setWeights([kernel.mul(slopes), bias.mul(slopes).add(offsets)]);
  });
}
