import type { OpAttribute, TensorFlowBinding, TensorMetadata } from '../../inference/engines/tensorflow-binding.ts';
import { CompileRefusal } from '../graph/compile-refusal.ts';
import type { Constant } from '../graph/constant.ts';
import { toAttributes } from '../graph/op-attributes.ts';
import { type AttrProto, dataType } from '../graph/proto.ts';

/** One operation that had to do with the pixels. */
export interface TracedNode {
  readonly op: string;
  readonly attr: Record<string, AttrProto>;
  readonly inputs: readonly Source[];
  readonly outputs: readonly { readonly dtype: number; readonly shape: readonly number[] }[];
}

/** Where an operation's input comes from; `node` is a place among the nodes of the trace. */
export type Source =
  | { readonly kind: 'images' }
  | { readonly kind: 'constant'; readonly constant: Constant }
  | { readonly kind: 'node'; readonly node: number; readonly output: number };

/** What one run of a network did. */
export interface Trace {
  readonly batch: number;
  readonly nodes: readonly TracedNode[];
  /** By the names that they will have. */
  readonly outputs: Readonly<Record<string, Source>>;
}

/** Operations whose answer, or its shape, says something else at another time or of another picture. */
const refusedOps = [
  [/^(Random|Multinomial|TruncatedNormal|Stateless|ParameterizedTruncated)/, 'its answers are random'],
  [/^(Where|Unique|NonMaxSuppression|ListDiff|DynamicPartition|CombinedNonMax)/, 'shapes follow the picture'],
  [/^(If|While|StatelessIf|StatelessWhile|Switch|Merge|Enter|Exit|Case)$/, 'its control flow follows the picture'],
  [/^(VarHandle|Assign|ReadVariable|Write|Print|Assert|TensorArray|TensorList|Py)/, 'it has effects or state'],
] as const;

/**
 * Stands between tfjs-node and the native library and writes down every operation that the pixels reach. What they
 * don't reach has been computed when it is needed, and is a constant.
 */
export class Recorder {
  /** Does what the real one does. */
  readonly binding: TensorFlowBinding;
  readonly #real: TensorFlowBinding;
  readonly #tensors = new Map<number, { readonly dtype: number; readonly shape: readonly number[] }>();
  /** Tensors that hold something of the pixels; ids are never used twice. */
  readonly #tainted = new Map<number, { readonly run: number; readonly source: Source }>();
  readonly #constants = new Map<number, Constant>();
  #run = 0;
  #nodes: TracedNode[] = [];

  constructor(real: TensorFlowBinding) {
    this.#real = real;
    const refuse = (): never => {
      throw new CompileRefusal('it runs a SavedModel within');
    };
    // Its own properties can't be overwritten, an heir's can.
    this.binding = Object.create(real, {
      createTensor: { value: this.#createTensor.bind(this) },
      tensorDataSync: { value: this.#readTensor.bind(this) },
      executeOp: { value: this.#executeOp.bind(this) },
      loadSavedModel: { value: refuse },
      runSavedModel: { value: refuse },
    }) as TensorFlowBinding;
  }

  /**
   * Writes down one run.
   * @param images id of the tensor that holds the pixels
   * @param run answers the ids of the outputs
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
    if (this.#tainted.has(id)) throw new CompileRefusal('its JavaScript reads values that follow the picture');
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
    if (tainted.run !== this.#run) throw new CompileRefusal('it keeps state from one run to the next');
    return tainted.source;
  }

  /** Read at once: the tensor may be gone when the run is over. */
  #toConstant(id: number): Constant {
    const known = this.#constants.get(id);
    if (known) return known;
    const tensor = this.#tensors.get(id);
    if (!tensor) throw new CompileRefusal('it uses a tensor that was made before it was loaded');
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
