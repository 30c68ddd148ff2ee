import type { OpAttribute, TensorFlowBinding, TensorMetadata } from '../../inference/engines/tensorflow-binding.ts';
import { CompileRefusal } from '../graph/compile-refusal.ts';
import type { Constant } from '../graph/constant.ts';
import { toAttributes } from '../graph/op-attributes.ts';
import { type AttrProto, dataType } from '../graph/proto.ts';

/** One recorded operation on data derived from the pixels. */
export interface TracedNode {
  readonly op: string;
  readonly attr: Record<string, AttrProto>;
  readonly inputs: readonly Source[];
  readonly outputs: readonly { readonly dtype: number; readonly shape: readonly number[] }[];
}

/** Source of an operation's input; `node` is an index into the nodes of the trace. */
export type Source =
  | { readonly kind: 'images' }
  | { readonly kind: 'constant'; readonly constant: Constant }
  | { readonly kind: 'node'; readonly node: number; readonly output: number };

/** Record of one run of a network. */
export interface Trace {
  readonly batch: number;
  readonly nodes: readonly TracedNode[];
  /** By their names in the graph. */
  readonly outputs: Readonly<Record<string, Source>>;
}

/** Operations whose result or its shape can differ between runs or images in ways that a static graph can't express. */
const refusedOps = [
  [/^(Random|Multinomial|TruncatedNormal|Stateless|ParameterizedTruncated)/, 'its results are random'],
  [/^(Where|Unique|NonMaxSuppression|ListDiff|DynamicPartition|CombinedNonMax)/, 'its shapes depend on the image'],
  [/^(If|While|StatelessIf|StatelessWhile|Switch|Merge|Enter|Exit|Case)$/, 'its control flow depends on the image'],
  [/^(VarHandle|Assign|ReadVariable|Write|Print|Assert|TensorArray|TensorList|Py)/, 'it has effects or state'],
] as const;

/**
 * Wraps tfjs-node's binding and records every operation on data derived from the pixels. All other operands are already
 * computed and become constants.
 */
export class Recorder {
  /** Behaves like the real binding. */
  readonly binding: TensorFlowBinding;
  readonly #real: TensorFlowBinding;
  readonly #tensors = new Map<number, { readonly dtype: number; readonly shape: readonly number[] }>();
  /** Tensors derived from the pixels; ids are never reused. */
  readonly #tainted = new Map<number, { readonly run: number; readonly source: Source }>();
  readonly #constants = new Map<number, Constant>();
  #run = 0;
  #nodes: TracedNode[] = [];

  constructor(real: TensorFlowBinding) {
    this.#real = real;
    const refuse = (): never => {
      throw new CompileRefusal('it runs a SavedModel');
    };
    // The properties of the native object are read-only; those of a derived object are not.
    this.binding = Object.create(real, {
      createTensor: { value: this.#createTensor.bind(this) },
      tensorDataSync: { value: this.#readTensor.bind(this) },
      executeOp: { value: this.#executeOp.bind(this) },
      loadSavedModel: { value: refuse },
      runSavedModel: { value: refuse },
    }) as TensorFlowBinding;
  }

  /**
   * Records one run.
   * @param images id of the tensor of the pixels
   * @param run returns the ids of the outputs
   */
  record(batch: number, images: number, run: () => Readonly<Record<string, number>>): Trace {
    this.#run += 1;
    this.#nodes = [];
    this.#tainted.set(images, { run: this.#run, source: { kind: 'images' } });
    const ids = Object.entries(run());
    const outputs = Object.fromEntries(ids.map(([name, id]) => [name, this.#toSource(id)]));
    return { batch, nodes: this.#nodes, outputs };
  }

  #createTensor(...[shape, dtype, values]: Parameters<TensorFlowBinding['createTensor']>): number {
    const id = this.#real.createTensor(shape, dtype, values);
    this.#tensors.set(id, { shape: [...shape], dtype });
    return id;
  }

  #readTensor(id: number): ReturnType<TensorFlowBinding['tensorDataSync']> {
    if (this.#tainted.has(id)) throw new CompileRefusal('its JavaScript reads values that depend on the image');
    return this.#real.tensorDataSync(id);
  }

  #executeOp(
    op: string,
    attributes: readonly OpAttribute[],
    inputs: readonly number[],
    count: number,
  ): TensorMetadata[] {
    const outputs = this.#real.executeOp(op, attributes, inputs, count);
    for (const { id, dtype, shape } of outputs) this.#tensors.set(id, { dtype, shape });
    if (!inputs.some((id) => this.#tainted.has(id))) return outputs;
    const refused = refusedOps.find(([pattern]) => pattern.test(op));
    if (refused) throw new CompileRefusal(`it has the operation ${op}: ${refused[1]}`);
    const node = this.#nodes.push({
      op,
      attr: toAttributes(this.#real, op, attributes),
      inputs: inputs.map((id) => this.#toSource(id)),
      outputs: outputs.map(({ dtype, shape }) => ({ dtype, shape })),
    });
    for (const [output, { id }] of outputs.entries()) {
      this.#tainted.set(id, { run: this.#run, source: { kind: 'node', node: node - 1, output } });
    }
    return outputs;
  }

  #toSource(id: number): Source {
    const tainted = this.#tainted.get(id);
    if (!tainted) return { kind: 'constant', constant: this.#toConstant(id) };
    if (tainted.run !== this.#run) throw new CompileRefusal('it keeps state between runs');
    return tainted.source;
  }

  /** Read immediately: the tensor may be deleted before the run ends. */
  #toConstant(id: number): Constant {
    const known = this.#constants.get(id);
    if (known) return known;
    const tensor = this.#tensors.get(id);
    if (!tensor) throw new CompileRefusal('it uses a tensor created before the model was loaded');
    const { float, int32, int64, bool } = dataType;
    if (![float, int32, int64, bool].some((dtype) => dtype === tensor.dtype)) {
      throw new CompileRefusal(`it has a constant of TensorFlow's type ${String(tensor.dtype)}`);
    }
    const values = this.#real.tensorDataSync(id);
    if (Array.isArray(values)) throw new CompileRefusal('it has a constant of strings');
    const constant = { ...tensor, values };
    this.#constants.set(id, constant);
    return constant;
  }
}
