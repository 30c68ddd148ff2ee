import { createHash } from 'node:crypto';
import { type Constant, toBytes, toConstNode, toIntConstant } from './constant.ts';
import { toShape } from './op-attributes.ts';
import { type AttrProto, dataType, type NodeProto } from './proto.ts';

/** A dimension of a shape; with `perImage` it is multiplied by the batch size. */
export interface FollowingSize {
  readonly value: number;
  readonly perImage: boolean;
}

const int32 = { type: dataType.int32 };

/** Builds a graph with the input `images`; equal constants are written once. */
export class GraphBuilder {
  readonly nodes: NodeProto[] = [];
  readonly #constants = new Map<string, string>();
  #batch: string | undefined;

  /** Adds the input. */
  addPlaceholder(shape: readonly number[]): void {
    this.addNode('images', 'Placeholder', [], { dtype: { type: dataType.uint8 }, shape: { shape: toShape(shape) } });
  }

  /** Adds a node and returns its name, which is its first output. */
  addNode(name: string, op: string, input: string[], attr: Record<string, AttrProto>): string {
    this.nodes.push({ name, op, input, attr });
    return name;
  }

  /** Adds a constant, or returns the existing equal one. */
  addConstant(constant: Constant): string {
    const { values, dtype, shape } = constant;
    const key = createHash('sha256')
      .update(JSON.stringify([dtype, shape]))
      .update(toBytes(values))
      .digest('base64');
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = `constant_${String(this.#constants.size)}`;
    this.nodes.push(toConstNode(name, constant));
    this.#constants.set(key, name);
    return name;
  }

  /** Adds an int32 vector or scalar with elements that depend on the batch size. */
  addSizes(sizes: readonly FollowingSize[], isScalar: boolean): string {
    const parts = sizes.map(({ value, perImage }) => {
      const constant = this.addConstant(toIntConstant(value));
      if (!perImage) return constant;
      if (value === 1) return this.#addBatch();
      return this.addNode(this.#toName('size'), 'Mul', [this.#addBatch(), constant], { T: int32 });
    });
    const [only] = parts;
    if (isScalar && only !== undefined) return only;
    const attr = { T: int32, N: { i: parts.length }, axis: { i: 0 } };
    return this.addNode(this.#toName('sizes'), 'Pack', parts, attr);
  }

  /** Adds a tensor that repeats `row`, of shape `[1, …]`, for each image. */
  addRows(row: Constant): string {
    const [, ...rest] = row.shape;
    const sizes = [{ value: 1, perImage: true }, ...rest.map((value) => ({ value, perImage: false }))];
    const attr = { T: { type: row.dtype }, Tidx: int32 };
    const inputs = [this.addConstant(row), this.addSizes(sizes, false)];
    return this.addNode(this.#toName('rows'), 'BroadcastTo', inputs, attr);
  }

  #addBatch(): string {
    if (this.#batch !== undefined) return this.#batch;
    const attr = { T: { type: dataType.uint8 }, out_type: int32 };
    const shape = this.addNode('batch_shape', 'Shape', ['images'], attr);
    const [zero, one] = [this.addConstant(toIntConstant([0])), this.addConstant(toIntConstant([1]))];
    this.#batch = this.addNode('batch', 'StridedSlice', [shape, zero, one, one], {
      T: int32,
      Index: int32,
      begin_mask: { i: 0 },
      end_mask: { i: 0 },
      ellipsis_mask: { i: 0 },
      new_axis_mask: { i: 0 },
      shrink_axis_mask: { i: 1 },
    });
    return this.#batch;
  }

  #toName(what: string): string {
    return `${what}_${String(this.nodes.length)}`;
  }
}
