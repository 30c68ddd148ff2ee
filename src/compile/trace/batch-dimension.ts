import { isDeepStrictEqual } from 'node:util';
import type { Size } from '../../image/types.ts';
import { CompileRefusal } from '../graph/compile-refusal.ts';
import { type Constant, toIntConstant } from '../graph/constant.ts';
import { type FollowingSize, GraphBuilder } from '../graph/graph-builder.ts';
import { dataType, type GraphProto } from '../graph/proto.ts';
import type { Source, Trace, TracedNode } from './recorder.ts';

/** A graph with the shapes of its operations. */
export interface TracedGraph {
  readonly graph: GraphProto;
  /** Shape of the first output by node name; -1 is the batch size. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

/**
 * Makes one graph for any batch size from two traces of the same network with different batch sizes.
 * @throws CompileRefusal if they differ in a way that can't be expressed by the batch size
 */
export function generaliseTraces(small: Trace, large: Trace, size: Size): TracedGraph {
  if (small.nodes.length !== large.nodes.length) {
    throw new CompileRefusal('its operations depend on the batch size');
  }
  const writer = new GraphWriter(small, large);
  writer.builder.addPlaceholder([-1, size.height, size.width, 3]);
  // tfjs has no uint8: traces start with int32.
  const attr = { SrcT: { type: dataType.uint8 }, DstT: { type: dataType.int32 }, Truncate: { b: false } };
  writer.builder.addNode('pixels', 'Cast', ['images'], attr);
  for (const [index, node] of small.nodes.entries()) writer.addNode(index, node);
  for (const name of Object.keys(small.outputs)) writer.addOutput(name);
  return { graph: { node: writer.builder.nodes, versions: { producer: 1087 } }, shapes: writer.shapes };
}

class GraphWriter {
  readonly builder = new GraphBuilder();
  readonly shapes = new Map<string, readonly number[]>();
  readonly #small: Trace;
  readonly #large: Trace;
  /** The name of the first output of each traced node. */
  readonly #names: string[] = [];

  constructor(small: Trace, large: Trace) {
    this.#small = small;
    this.#large = large;
  }

  addNode(index: number, node: TracedNode): void {
    const twin = this.#large.nodes[index];
    if (!twin || !isSameOperation(node, twin)) {
      throw new CompileRefusal(`its operation ${node.op} depends on the batch size`);
    }
    const [first] = node.inputs;
    if (first && this.#keepsInput(node, this.#small) && this.#keepsInput(twin, this.#large)) {
      this.#names.push(this.#toInput(first, index, 0));
      return;
    }
    const inputs = node.inputs.map((source, at) => this.#toInput(source, index, at));
    const name = this.builder.addNode(`${node.op}_${String(index)}`, node.op, inputs, node.attr);
    this.#names.push(name);
    this.shapes.set(name, this.#toGeneralShape(node, twin));
  }

  addOutput(name: string): void {
    const output = this.#small.outputs[name];
    if (output?.kind !== 'node' || !isDeepStrictEqual(output, this.#large.outputs[name])) {
      throw new CompileRefusal(`its output ${name} does not depend on the image`);
    }
    const dtype = this.#small.nodes[output.node]?.outputs[output.output]?.dtype;
    if (dtype !== dataType.float) throw new CompileRefusal(`its output ${name} is not float32`);
    this.builder.addNode(name, 'Identity', [this.#toName(output)], { T: { type: dtype } });
  }

  /** The batch dimension is the one that differs between the traces. */
  #toGeneralShape(node: TracedNode, twin: TracedNode): number[] {
    const other = twin.outputs[0]?.shape;
    return (node.outputs[0]?.shape ?? []).map((size, at) => (size === other?.[at] ? size : -1));
  }

  /** Whether a node is a slice or reshape to the same shape, as tfjs emits them. */
  #keepsInput(node: TracedNode, trace: Trace): boolean {
    if (node.op === 'Identity') return true;
    if (node.op !== 'Slice' && node.op !== 'Reshape') return false;
    return isDeepStrictEqual(this.#toShapeOf(node.inputs[0], trace), node.outputs[0]?.shape);
  }

  #toShapeOf(source: Source | undefined, trace: Trace): readonly number[] | undefined {
    return source?.kind === 'node' ? trace.nodes[source.node]?.outputs[source.output]?.shape : undefined;
  }

  #toName(source: Exclude<Source, { kind: 'constant' }>): string {
    if (source.kind === 'images') return 'pixels';
    const name = this.#names[source.node];
    if (name === undefined) throw new CompileRefusal('its operations are out of order');
    return source.output === 0 ? name : `${name}:${String(source.output)}`;
  }

  #toInput(source: Source, index: number, at: number): string {
    if (source.kind !== 'constant') return this.#toName(source);
    const twin = this.#large.nodes[index]?.inputs[at];
    if (twin?.kind !== 'constant') throw new CompileRefusal('its operations depend on the batch size');
    if (isSameConstant(source.constant, twin.constant)) return this.builder.addConstant(source.constant);
    return this.#addFollowing(source.constant, twin.constant, index, at);
  }

  /** Adds a constant that depends on the batch size. */
  #addFollowing(small: Constant, large: Constant, index: number, at: number): string {
    const node = this.#small.nodes[index];
    const refusal = new CompileRefusal(
      `input ${String(at)} of its operation ${String(node?.op)} depends on the batch size in an unsupported way`,
    );
    if (!node || small.dtype !== large.dtype) throw refusal;
    if (small.dtype === dataType.int32 && isDeepStrictEqual(small.shape, large.shape) && small.shape.length <= 1) {
      const sizes = toSizes(small, large, this.#small.batch, this.#large.batch);
      if (!sizes) throw refusal;
      if (node.op === 'Reshape' && at === 1 && isInferable(sizes)) {
        return this.builder.addConstant(toIntConstant(sizes.map((size) => (size.perImage ? -1 : size.value))));
      }
      return this.builder.addSizes(sizes, small.shape.length === 0);
    }
    const row = toSharedRow(small, large, this.#small.batch, this.#large.batch);
    if (!row) throw refusal;
    return this.builder.addRows(row);
  }
}

/** TensorFlow infers a single dimension of -1. */
function isInferable(sizes: readonly FollowingSize[]): boolean {
  return sizes.filter(({ perImage, value }) => perImage || value === -1).length === 1;
}

function toSizes(small: Constant, large: Constant, few: number, many: number): FollowingSize[] | undefined {
  const others = [...large.values].map(Number);
  const sizes = [...small.values].map(Number).map((value, index): FollowingSize | undefined => {
    const other = others[index];
    if (value === other) return { value, perImage: false };
    const perImage = value / few;
    return Number.isInteger(perImage) && perImage * many === other ? { value: perImage, perImage: true } : undefined;
  });
  return sizes.every((size) => size !== undefined) ? sizes : undefined;
}

/** The row of a constant that repeats one row for each image. */
function toSharedRow(small: Constant, large: Constant, few: number, many: number): Constant | undefined {
  const [rows, ...rest] = small.shape;
  if (rows !== few || !isDeepStrictEqual(large.shape, [many, ...rest])) return undefined;
  const length = small.values.length / few;
  const row = small.values.slice(0, length);
  const isShared = ({ values }: Constant): boolean => values.every((value, index) => value === row[index % length]);
  return isShared(small) && isShared(large) ? { dtype: small.dtype, shape: [1, ...rest], values: row } : undefined;
}

function isSameConstant(a: Constant, b: Constant): boolean {
  return a === b || (a.dtype === b.dtype && isDeepStrictEqual([a.shape, a.values], [b.shape, b.values]));
}

function isSameOperation(a: TracedNode, b: TracedNode): boolean {
  if (a.op !== b.op || a.inputs.length !== b.inputs.length || !isDeepStrictEqual(a.attr, b.attr)) return false;
  return a.inputs.every((source, at) => {
    const other = b.inputs[at];
    return source.kind === 'constant' ? other?.kind === 'constant' : isDeepStrictEqual(source, other);
  });
}
