import { type Constant, readConstant, toConstNode } from './constant.ts';
import type { GraphProto, NodeProto } from './proto.ts';
import { toNodeName } from './tensor-reference.ts';

/** A graph that simplification passes modify in place; unused nodes are removed at the end. */
export class EditableGraph {
  /** By name, in order. */
  #nodes: Map<string, NodeProto>;
  readonly #graph: GraphProto;
  readonly #roots: readonly string[];
  /** Cached, as weights are large. */
  readonly #constants = new Map<NodeProto, Constant>();
  #added = 0;

  /** @param roots names of the nodes to keep */
  constructor(graph: GraphProto, roots: readonly string[]) {
    this.#graph = graph;
    this.#roots = roots;
    this.#nodes = new Map(graph.node.map((node) => [node.name, { ...node, input: [...node.input] }]));
  }

  nodes(): NodeProto[] {
    return [...this.#nodes.values()];
  }

  /** The node whose first output is this input; undefined for other outputs, which no pass handles. */
  producer(input: string | undefined): NodeProto | undefined {
    return input === undefined ? undefined : this.#nodes.get(input.replace(/:0$/, ''));
  }

  /** The constant behind an input. */
  constant(input: string | undefined): Constant | undefined {
    const node = this.producer(input);
    if (!node) return undefined;
    const constant = this.#constants.get(node) ?? readConstant(node);
    if (constant) this.#constants.set(node, constant);
    return constant;
  }

  /** Adds a constant and returns its name. */
  addConstant(near: string, constant: Constant): string {
    this.#added += 1;
    const name = `${near}/folded_${String(this.#added)}`;
    this.#nodes.set(name, toConstNode(name, constant));
    return name;
  }

  /** Adds a node, or replaces the one of the same name. */
  set(node: NodeProto): void {
    this.#nodes.set(node.name, node);
  }

  /** The node that uses an output of `node`, if there is exactly one use. */
  onlyConsumer(node: NodeProto): NodeProto | undefined {
    if (this.#roots.includes(node.name)) return undefined;
    const uses = this.nodes().flatMap((user) =>
      user.input.filter((input) => toNodeName(input) === node.name).map(() => user),
    );
    return uses.length === 1 ? uses[0] : undefined;
  }

  /** Replaces the first output of `node` by `input` in all its users. */
  redirect(node: NodeProto, input: string): void {
    const isFirst = (name: string): boolean => name === node.name || name === `${node.name}:0`;
    for (const user of this.#nodes.values()) user.input = user.input.map((name) => (isFirst(name) ? input : name));
  }

  /** Removes nodes that the roots don't need, as they would count as consumers, and sorts the rest topologically. */
  prune(): void {
    const kept = new Map<string, NodeProto>();
    for (const root of this.#roots) keepNode(root, this.#nodes, kept);
    this.#nodes = kept;
  }

  toGraph(): GraphProto {
    this.prune();
    return { ...this.#graph, node: this.nodes() };
  }
}

/** Iterative, as networks are deep. Nodes of a TensorFlow 1 while loop keep their order. */
function keepNode(root: string, nodes: ReadonlyMap<string, NodeProto>, kept: Map<string, NodeProto>): void {
  const seen = new Set<string>();
  const stack: { name: string; isDone: boolean }[] = [{ name: root, isDone: false }];
  for (let next = stack.pop(); next; next = stack.pop()) {
    const node = nodes.get(next.name);
    if (!node || kept.has(next.name)) continue;
    if (next.isDone) {
      kept.set(next.name, node);
      continue;
    }
    if (seen.has(next.name)) continue;
    seen.add(next.name);
    stack.push({ name: next.name, isDone: true });
    stack.push(...node.input.map((input) => ({ name: toNodeName(input), isDone: false })));
  }
}
