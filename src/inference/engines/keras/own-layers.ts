import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';

type LayerArgs = ConstructorParameters<typeof layers.layers.Layer>[0];
type Shape = (number | null)[];
type Inputs = tf.Tensor | tf.Tensor[];

function toTensor(inputs: Inputs): tf.Tensor4D {
  return (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D;
}

function toShape(shape: Shape | Shape[]): Shape {
  return (Array.isArray(shape[0]) ? shape[0] : shape) as Shape;
}

interface NormalizationArgs extends NonNullable<LayerArgs> {
  readonly mean?: number | number[] | null;
  readonly variance?: number | number[] | null;
  /** Whether each channel has its own mean. */
  readonly perChannel: boolean;
}

/** Keras's Normalization along the last axis; missing in tfjs. */
class Normalization extends layers.layers.Layer {
  static readonly className = 'KerasNormalization';
  readonly #args: NormalizationArgs;
  #weights: readonly layers.LayerVariable[] = [];

  constructor(args: NormalizationArgs) {
    super(args);
    this.#args = args;
  }

  override build(inputShape: Shape | Shape[]): void {
    const { mean, perChannel } = this.#args;
    const sizes = perChannel ? [toShape(inputShape).at(-1) ?? 1] : [];
    if (mean === undefined || mean === null) {
      this.#weights = ['mean', 'variance'].map((name) =>
        this.addWeight(name, sizes, 'float32', layers.initializers.ones(), undefined, false),
      );
    }
    super.build(inputShape);
  }

  override call(inputs: Inputs): Inputs {
    return tf.tidy(() => {
      const [mean, variance] = this.#weights.map((weight) => weight.read());
      const { mean: knownMean, variance: knownVariance } = this.#args;
      const deviation = tf.sqrt(variance ?? tf.tensor(knownVariance ?? 1));
      const pixels = tf.cast(toTensor(inputs), 'float32');
      return tf.div(tf.sub(pixels, mean ?? tf.tensor(knownMean ?? 0)), tf.maximum(deviation, 1e-7));
    });
  }
}

interface PoolingArgs extends NonNullable<LayerArgs> {
  readonly kind: 'average' | 'max';
}

/** Global pooling with keepdims; missing in tfjs. */
class KeptPooling extends layers.layers.Layer {
  static readonly className = 'KerasKeptPooling';
  readonly #kind: PoolingArgs['kind'];

  constructor(args: PoolingArgs) {
    super(args);
    this.#kind = args.kind;
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const [batch = null, , , channels = null] = toShape(inputShape);
    return [batch, 1, 1, channels];
  }

  override call(inputs: Inputs): Inputs {
    return this.#kind === 'max' ? tf.max(toTensor(inputs), [1, 2], true) : tf.mean(toTensor(inputs), [1, 2], true);
  }
}

interface ResizingArgs extends NonNullable<LayerArgs> {
  readonly height: number;
  readonly width: number;
  readonly interpolation: 'bilinear' | 'nearest';
}

/** Keras's Resizing with half-pixel centres; tfjs's layer aligns corners. */
class Resizing extends layers.layers.Layer {
  static readonly className = 'KerasResizing';
  readonly #args: ResizingArgs;

  constructor(args: ResizingArgs) {
    super(args);
    this.#args = args;
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const shape = toShape(inputShape);
    return [shape[0] ?? null, this.#args.height, this.#args.width, shape[3] ?? null];
  }

  override call(inputs: Inputs): Inputs {
    const { height, width, interpolation } = this.#args;
    const resize = interpolation === 'nearest' ? tf.image.resizeNearestNeighbor : tf.image.resizeBilinear;
    return tf.tidy(() => tf.cast(resize(toTensor(inputs), [height, width], false, true), 'float32'));
  }
}

abstract class Activation extends tf.serialization.Serializable {
  abstract apply(x: tf.Tensor): tf.Tensor;

  override getConfig(): tf.serialization.ConfigDict {
    return {};
  }
}

/** Keras 3's hard sigmoid, which differs from Keras 2 and tfjs. */
class HardSigmoid extends Activation {
  static readonly className = 'kerasHardSigmoid';

  override apply(x: tf.Tensor): tf.Tensor {
    return tf.tidy(() => tf.div(tf.relu6(tf.add(x, 3)), 6));
  }
}

class HardSwish extends Activation {
  static readonly className = 'kerasHardSwish';

  override apply(x: tf.Tensor): tf.Tensor {
    return tf.tidy(() => tf.mul(x, tf.div(tf.relu6(tf.add(x, 3)), 6)));
  }
}

class LeakyRelu extends Activation {
  static readonly className = 'kerasLeakyRelu';

  override apply(x: tf.Tensor): tf.Tensor {
    return tf.leakyRelu(x, 0.2);
  }
}

class Exponential extends Activation {
  static readonly className = 'kerasExponential';

  override apply(x: tf.Tensor): tf.Tensor {
    return tf.exp(x);
  }
}

for (const layer of [Normalization, KeptPooling, Resizing]) tf.serialization.registerClass(layer);
for (const activation of [HardSigmoid, HardSwish, LeakyRelu, Exponential]) tf.serialization.registerClass(activation);

/** Whether tfjs or this file has a layer of the class. Some initialisers have names of layers. */
export function hasLayer(className: string): boolean {
  const [known] = tf.serialization.SerializationMap.getMap().classNameMap[className] ?? [];
  return known?.prototype instanceof layers.layers.Layer;
}
