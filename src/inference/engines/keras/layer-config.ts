import { isObject, type JsonObject, toList } from './json-object.ts';
import { type KerasFormat, type KerasLayer, refuseLayer, type TfjsLayer, toKerasLayer } from './keras-layer.ts';

/** Layers that do nothing at inference: augmentation and regularisation. */
const onlyForTraining = new Set([
  ...['RandomFlip', 'RandomRotation', 'RandomZoom', 'RandomTranslation', 'RandomHeight', 'RandomWidth', 'RandomShear'],
  ...['RandomContrast', 'RandomBrightness', 'RandomSharpness', 'RandomHue', 'RandomSaturation', 'RandomColorJitter'],
  ...['RandomColorDegeneration', 'RandomGrayscale', 'RandomInvert', 'RandomPosterization', 'RandomErasing'],
  ...['RandomGaussianBlur', 'RandomPerspective', 'RandomElasticTransform', 'RandAugment', 'AugMix', 'MixUp', 'CutMix'],
  ...['Dropout', 'AlphaDropout', 'SpatialDropout1D', 'SpatialDropout2D', 'SpatialDropout3D', 'GaussianNoise'],
  ...['GaussianDropout', 'ActivityRegularization', 'Identity'],
]);

/** Whether a layer is the identity at inference. */
export function isIdentity({ className }: Pick<KerasLayer, 'className'>): boolean {
  return onlyForTraining.has(className);
}

/** An identity layer. */
export function toIdentity(name: string, shape: unknown): TfjsLayer {
  return { class_name: 'Activation', name, config: { name, activation: 'linear', ...withShape(shape) } };
}

/** The input shape in the configuration of a layer, needed if it is the first of a network. */
export function withShape(shape: unknown): JsonObject {
  return Array.isArray(shape) ? { batch_input_shape: shape } : {};
}

/**
 * Converts a layer that is neither a network nor an operation to tfjs's form.
 * @throws Error that names a layer that tfjs lacks or computes differently
 */
export function toTfjsLayer(layer: KerasLayer, format: KerasFormat): TfjsLayer {
  const { name, className } = layer;
  if (isIdentity(layer)) return toIdentity(name, layer.config['batch_input_shape']);
  const common = { ...toServedConfig(layer, format), ...toActivation(layer, format) };
  const { className: served, ...own } = toOwnTerms({ ...layer, config: common });
  if (!format.hasLayer(served ?? className)) refuseLayer(layer, 'is not known to TensorFlow.js');
  return { class_name: served ?? className, name, config: { ...common, ...own } };
}

/** Omits training-only settings and those with another form in tfjs. */
function toServedConfig({ config, className, ...layer }: KerasLayer, format: KerasFormat): JsonObject {
  const kept = Object.entries(config).filter(([key]) => !/_(regularizer|constraint|initializer)$/.test(key));
  const { layer: wrapped, batch_shape: shape, dtype, ...rest } = Object.fromEntries(kept);
  return {
    ...rest,
    ...withShape(shape),
    ...(dtype !== undefined && { dtype: toDtype({ ...layer, className, config }, dtype) }),
    ...(isObject(wrapped) && { layer: toTfjsLayer(toKerasLayer(wrapped), format) }),
  };
}

/** tfjs's weights are always float32; integer pixels are int32. */
function toDtype(layer: KerasLayer, dtype: unknown): unknown {
  const policy = isObject(dtype) ? dtype['config'] : undefined;
  const type = isObject(policy) ? policy['name'] : dtype;
  if (typeof type !== 'string') return 'float32';
  if (type.includes('_from_')) refuseLayer(layer, `has quantised weights (${type})`);
  if (/^u?int\d+$/.test(type)) return 'int32';
  return type === 'bool' || type === 'string' ? type : 'float32';
}

const activations: Readonly<Record<string, string>> = {
  ...{ silu: 'swish', hard_swish: 'kerasHardSwish', hard_silu: 'kerasHardSwish' },
  ...{ leaky_relu: 'kerasLeakyRelu', exponential: 'kerasExponential' },
};
const tfjsActivations =
  /^(elu|selu|relu|relu6|linear|sigmoid|hard_?sigmoid|softplus|softsign|tanh|softmax|log_?softmax|gelu|mish|swish)$/i;

function toActivation(layer: KerasLayer, { isKeras3 }: KerasFormat): JsonObject {
  const { activation } = layer.config;
  if (activation === undefined || activation === null) return {};
  // Some versions of Keras wrap the name of a function in an object.
  const name = isObject(activation) && activation['class_name'] === 'function' ? activation['config'] : activation;
  if (typeof name !== 'string') return refuseLayer(layer, 'has a layer for its activation');
  if (isKeras3 && name === 'hard_sigmoid') return { activation: 'kerasHardSigmoid' };
  const served = activations[name] ?? name;
  if (served === name && !tfjsActivations.test(name)) refuseLayer(layer, `has the activation ${name}`);
  return { activation: served };
}

/** Differences of this class of layers: another class, and other names of settings. */
function toOwnTerms(layer: KerasLayer): JsonObject & { readonly className?: string } {
  const { className, config } = layer;
  switch (className) {
    case 'GlobalAveragePooling2D':
    case 'GlobalMaxPooling2D':
      return toPooling(layer);
    case 'Normalization':
      return toNormalization(layer);
    case 'Resizing':
      return toResizing(layer);
    case 'ReLU':
      return toRelu(layer);
    case 'LeakyReLU':
      return 'negative_slope' in config ? { alpha: config['negative_slope'] } : {};
    case 'BatchNormalization':
    case 'Softmax':
      return toOnlyAxis(config['axis']);
    case 'Reshape':
      return 'target_shape' in config ? {} : refuseLayer(layer, 'is an operation');
    case 'CenterCrop':
      return refuseLayer(layer, 'crops at other places in TensorFlow.js');
    default:
      if (Number(config['groups'] ?? 1) === 1) return {};
      return refuseLayer(layer, `has ${String(config['groups'])} groups of channels`);
  }
}

function toPooling(layer: KerasLayer): JsonObject {
  if (layer.config['keepdims'] !== true) return {};
  if (layer.config['data_format'] === 'channels_first') refuseLayer(layer, 'has its channels first');
  return { className: 'KerasKeptPooling', kind: layer.className === 'GlobalMaxPooling2D' ? 'max' : 'average' };
}

function toNormalization(layer: KerasLayer): JsonObject {
  const { axis, invert } = layer.config;
  const axes = axis === undefined ? [-1] : [axis ?? []].flat();
  if (invert === true || axes.length > 1 || !axes.every((each) => each === -1 || each === 3)) {
    refuseLayer(layer, 'does not normalise by channel');
  }
  return { className: 'KerasNormalization', per_channel: axes.length === 1 };
}

function toResizing(layer: KerasLayer): JsonObject {
  const { interpolation = 'bilinear', crop_to_aspect_ratio: crops, pad_to_aspect_ratio: pads } = layer.config;
  if (crops === true || pads === true) refuseLayer(layer, 'keeps the aspect ratio');
  if (interpolation !== 'bilinear' && interpolation !== 'nearest') {
    refuseLayer(layer, `resizes by ${String(interpolation)}`);
  }
  return { className: 'KerasResizing', interpolation };
}

function toRelu(layer: KerasLayer): JsonObject {
  const { negative_slope: slope, threshold, max_value: limit } = layer.config;
  if (Number(threshold ?? 0) !== 0) refuseLayer(layer, 'has a threshold');
  if (Number(slope ?? 0) === 0) return {};
  if (limit !== undefined && limit !== null) refuseLayer(layer, 'has a slope and a limit');
  return { className: 'LeakyReLU', alpha: slope };
}

function toOnlyAxis(axis: unknown): JsonObject {
  const [first, ...others] = toList(axis);
  return first === undefined || others.length > 0 ? {} : { axis: first };
}
