import { isObject, type JsonObject, toList, toObject } from '../inference/engines/keras/json-object.ts';

/** A number, or one per channel. */
type Numbers = number | readonly number[];

/** Networks trained on other ranges than 0…255 have larger scales and smaller offsets. */
const largestScale = 0.1;
const largestOffset = 2;

/** Whether x · scale + offset at the start of a network expects x in 0…255. */
export function isForPixels(scale: Numbers, offset: Numbers): boolean {
  const toLargest = (numbers: Numbers): number => Math.max(...[numbers].flat().map(Math.abs));
  return toLargest(scale) <= largestScale || toLargest(offset) > largestOffset;
}

/**
 * Finds the layer with which a layers model scales 0…255 itself.
 * @param topology in tfjs's form
 * @param readWeights returns the weights of a layer: mean and variance of a normalisation
 */
export function findScalingLayer(
  topology: JsonObject,
  readWeights: (name: string) => readonly (readonly number[])[],
): string | undefined {
  for (const layer of listFirst(topology)) {
    const { class_name: className, config } = layer;
    const name = String(toObject(config)['name']);
    if (passesOn(layer)) continue;
    const { scale = 1, offset = 0, mean, variance } = toObject(config);
    if (className === 'Rescaling') return isForPixels(toNumbers(scale), toNumbers(offset)) ? name : undefined;
    if (className !== 'KerasNormalization') return undefined;
    const [means = [toNumbers(mean)].flat(), variances = [toNumbers(variance)].flat()] = readWeights(name);
    return isForPixels(
      variances.map((each) => 1 / Math.sqrt(each)),
      means,
    )
      ? name
      : undefined;
  }
  return undefined;
}

function passesOn({ class_name: className, config }: JsonObject): boolean {
  const { activation, scale, offset } = toObject(config);
  if (className === 'Activation') return activation === 'linear';
  // Keras writes a cast of integers like this.
  if (className === 'Rescaling') return scale === 1 && (offset ?? 0) === 0;
  return ['InputLayer', 'KerasResizing', 'ZeroPadding2D', 'Cropping2D'].includes(String(className));
}

function toNumbers(value: unknown): Numbers {
  const numbers = [value].flat(Infinity).filter((each) => typeof each === 'number');
  return numbers.length === 1 ? (numbers[0] ?? NaN) : numbers;
}

/** Lists the layers from the input to the first branch, including those of nested networks. */
function* listFirst({ class_name: className, config }: JsonObject): Generator<JsonObject> {
  const { layers, input_layers: inputs } = toObject(config);
  const all = toList(layers).filter(isObject);
  for (const layer of className === 'Sequential' ? all : followGraph(all, String(toList(toList(inputs)[0])[0]))) {
    yield* 'layers' in toObject(layer['config']) ? listFirst(layer) : [layer];
  }
}

function* followGraph(layers: readonly JsonObject[], input: string): Generator<JsonObject> {
  const seen = new Set<string>();
  for (let from = input; !seen.has(from);) {
    seen.add(from);
    const takers = layers.filter(({ inbound_nodes: nodes }) =>
      toList(nodes).some((node) => toList(node).some((entry) => toList(entry)[0] === from)),
    );
    const [taker] = takers;
    if (!taker || takers.length > 1) return;
    yield taker;
    from = String(taker['name']);
  }
}
