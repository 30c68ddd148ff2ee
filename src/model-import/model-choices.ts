import type { Manifest } from '../model/manifest.ts';
import { toShortList } from '../short-list.ts';
import type { NetworkFacts, TensorFacts } from './describe-network.ts';

/** Settings by the user or a preset; others are read from the network or guessed. */
export interface ModelChoices {
  readonly labels?: readonly string[] | undefined;
  /** In pixels; only for networks with any input size. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly resize?: Manifest['input']['resize'] | undefined;
  readonly kernel?: Manifest['input']['kernel'] | undefined;
  readonly coordinates?: Manifest['input']['coordinates'] | undefined;
  readonly jpegDct?: Manifest['input']['jpegDct'] | undefined;
  readonly colour?: Manifest['input']['colour'] | undefined;
  /** x · scale + offset, for x in 0…255. */
  readonly scale?: Manifest['input']['normalise']['scale'] | undefined;
  readonly offset?: Manifest['input']['normalise']['offset'] | undefined;
  readonly activation?: Manifest['output']['activation'] | undefined;
  readonly kind?: Manifest['output']['kind'] | undefined;
  readonly policy?: Manifest['policy'] | undefined;
  /** Name of the output with the scores. */
  readonly output?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly signature?: string | undefined;
}

const floatTypes = ['float32'];
const wholeTypes = ['uint8', 'int32'];

/**
 * Chooses the manifest's input settings.
 * @throws Error that describes an unsupported input
 */
export function toManifestInput({ inputs, saved, scaling }: NetworkFacts, choices: ModelChoices): Manifest['input'] {
  const tensor = findOnly(inputs);
  const [, height, width, channels] = assertPixels(tensor);
  const size = { width: toSide('width', width, choices.width), height: toSide('height', height, choices.height) };
  const isScaled = scaling !== undefined || !isFloat(tensor);
  const normalise = { scale: choices.scale ?? (isScaled ? 1 : 1 / 255), offset: choices.offset ?? 0 };
  const { resize = 'stretch', kernel = 'lanczos', coordinates = 'half-pixel', jpegDct = 'accurate' } = choices;
  const colour = toColour(tensor, channels, choices.colour);
  if (colour === 'grey' && [normalise.scale, normalise.offset].some((values) => typeof values !== 'number')) {
    throw new Error('--scale and --offset are one number each for a network of one channel');
  }
  return {
    ...size,
    ...{ resize, kernel, coordinates, jpegDct, colour },
    normalise,
    signature: saved?.signature ?? 'serving_default',
    tags: saved?.tags ?? ['serve'],
  };
}

/** Whether the input is float: then scaling of 0…255 is a guess unless the user specifies it. */
export function isFloat({ dtype }: TensorFacts): boolean {
  return floatTypes.includes(dtype);
}

function findOnly(inputs: readonly TensorFacts[]): TensorFacts {
  const [first] = inputs;
  if (first && inputs.length === 1) return first;
  throw new Error(
    `the model has ${String(inputs.length)} inputs (${toNames(inputs)}); only models with one are served`,
  );
}

function assertPixels(tensor: TensorFacts): readonly number[] {
  const { name, dtype, shape } = tensor;
  if (!isFloat(tensor) && !wholeTypes.includes(dtype)) {
    throw new Error(`the input ${name} is ${dtype}; only float32, uint8 and int32 are served`);
  }
  // An unknown shape is verified by the first run.
  const sizes = shape ?? [-1, -1, -1, 3];
  const [batch = 0, , , channels = 0] = sizes;
  if (sizes.length === 4 && [1, 3, -1].includes(channels) && (batch === -1 || batch === 1)) return sizes;
  throw new Error(
    `the input ${name} is ${toShapeText(shape)}; only [n, height, width, 3] and [n, height, width, 1] are served`,
  );
}

/** The colour mode for the network's number of channels, if known. */
function toColour(
  { name, shape }: TensorFacts,
  channels: number | undefined,
  wanted: ModelChoices['colour'],
): Manifest['input']['colour'] {
  const colour = wanted ?? (channels === 1 ? 'grey' : 'rgb');
  if (shape === undefined || channels === -1 || (channels === 1) === (colour === 'grey')) return colour;
  throw new Error(`the input ${name} is ${toShapeText(shape)}, --colour says ${colour}`);
}

function toSide(what: 'width' | 'height', found: number | undefined, wanted: number | undefined): number {
  if (found === undefined || found === -1) {
    if (wanted !== undefined) return wanted;
    throw new Error(`the model takes pictures of any ${what}; --${what} must say which`);
  }
  if (wanted === undefined || wanted === found) return found;
  throw new Error(`the model takes pictures of ${what} ${String(found)}, --${what} says ${String(wanted)}`);
}

/**
 * Finds the output with the scores.
 * @throws Error if several are possible and none is chosen, or its shape is unsupported
 */
export function findOutput({ outputs }: NetworkFacts, choices: ModelChoices): TensorFacts {
  const [first] = outputs;
  const chosen = choices.output === undefined ? first : outputs.find(({ name }) => name === choices.output);
  if (!chosen) throw new Error(`the model has no output ${String(choices.output)}; there are: ${toNames(outputs)}`);
  if (outputs.length > 1 && choices.output === undefined) {
    throw new Error(`the model has the outputs ${toNames(outputs)}; --output must name one`);
  }
  if (chosen.shape && chosen.shape.length !== 2) {
    throw new Error(`the output ${chosen.name} is ${toShapeText(chosen.shape)}; only [n, scores] is served`);
  }
  return chosen;
}

/**
 * Returns the labels, or default ones.
 * @throws Error if the number of labels differs from that of the scores
 */
export function toLabels(scores: number, choices: ModelChoices): string[] {
  const labels = choices.labels ?? Array.from({ length: scores }, (_, index) => `label${String(index)}`);
  if (labels.length === scores) return [...labels];
  throw new Error(`the model answers ${String(scores)} scores, ${String(labels.length)} labels are given`);
}

/** Formats a shape: `[n, 224, 224, 3]`. */
export function toShapeText(shape: readonly number[] | undefined): string {
  if (!shape) return '[?]';
  return `[${shape.map((size, index) => (size === -1 ? (index === 0 ? 'n' : '?') : String(size))).join(', ')}]`;
}

function toNames(tensors: readonly TensorFacts[]): string {
  return toShortList(tensors.map(({ name }) => name));
}
