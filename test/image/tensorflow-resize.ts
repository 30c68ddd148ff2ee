import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { Size } from '../../src/image/types.ts';
import type { SampledShape } from '../../src/image/types.ts';
import type { TensorFlow } from '../../src/inference/engines/tensorflow.ts';
import { getNodeBackend } from '../../src/inference/engines/tensorflow-binding.ts';

/** Resizes pixels, uint8 `[from.height, from.width, 3]`, by TensorFlow's own operations, and rounds. */
export function resizeByTensorFlow(tf: TensorFlow, pixels: Uint8Array, from: Size, shape: SampledShape): Uint8Array {
  const values = tf.tidy(() => {
    const images = tf.tensor4d(Float32Array.from(pixels), [1, from.height, from.width, 3]);
    const { width, height, kernel, coordinates = 'half-pixel' } = shape;
    const isAligned = coordinates === 'align-corners';
    const isCentred = coordinates === 'half-pixel';
    if (kernel === 'bicubic') return resizeCubic(tf, images, shape, isAligned, isCentred);
    const resize: (...rest: [Tensor4D, [number, number], boolean, boolean]) => Tensor =
      kernel === 'bilinear' ? tf.image.resizeBilinear : tf.image.resizeNearestNeighbor;
    return resize(images, [height, width], isAligned, isCentred).dataSync<'float32'>();
  });
  return Uint8Array.from(values, (value) => Math.min(255, Math.max(0, Math.round(value))));
}

/** tfjs has no such operation. */
function resizeCubic(
  tf: TensorFlow,
  images: Tensor4D,
  { width, height }: Size,
  isAligned: boolean,
  isCentred: boolean,
): Float32Array {
  const backend = getNodeBackend(tf);
  const { binding } = backend;
  const attributes = [
    { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    { name: 'align_corners', type: binding.TF_ATTR_BOOL, value: isAligned },
    { name: 'half_pixel_centers', type: binding.TF_ATTR_BOOL, value: isCentred },
  ];
  const inputs = backend.getInputTensorIds([images, tf.tensor1d([height, width], 'int32')]);
  const [output] = binding.executeOp('ResizeBicubic', attributes, inputs, 1);
  if (!output) throw new Error('ResizeBicubic gives nothing');
  const values = Float32Array.from(binding.tensorDataSync(output.id) as Float32Array);
  binding.deleteTensor(output.id);
  return values;
}
