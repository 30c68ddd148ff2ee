import { toShortList } from '../short-list.ts';
import type { NetworkFacts, TensorFacts } from './describe-network.ts';
import { toShapeText } from './model-choices.ts';

const detectionNames = /^(raw_)?detection_|num_detections|(^|[^a-z])(b?boxes|box_indices)($|[^a-z])/i;

/**
 * Checks that a network is an image classifier: one image in, scores out.
 * @throws Error that says what it is instead
 */
export function assertPictureClassifier({ inputs, outputs }: NetworkFacts): void {
  const [input] = inputs;
  if (input && inputs.length === 1) assertPicture(input);
  if (outputs.some(({ name }) => detectionNames.test(name)) || hasBoxes(outputs)) {
    const names = toShortList(outputs.map(({ name, shape }) => `${name} ${toShapeText(shape)}`));
    throw new Error(`the model detects objects (outputs ${names}); only classifiers are served, [n, scores]`);
  }
}

function assertPicture({ name, dtype, shape }: TensorFacts): void {
  const refuse = (what: string, served: string): never => {
    throw new Error(`the model takes no picture: the input ${name} is ${what}; only ${served} served`);
  };
  if (dtype === 'string' || dtype === 'bool') refuse(dtype, 'float32, uint8 and int32 are');
  if (shape && shape.length !== 4) refuse(toShapeText(shape), '[n, height, width, 3] is');
}

/** Whether an output has four numbers for each of many positions and is no map of four labels. */
function hasBoxes(outputs: readonly TensorFacts[]): boolean {
  const isOf = (isRank: (rank: number) => boolean): boolean =>
    outputs.some(({ shape }) => shape !== undefined && isRank(shape.length) && shape.at(-1) === 4);
  return outputs.length > 1 && isOf((rank) => rank >= 3) && !isOf((rank) => rank === 2);
}
