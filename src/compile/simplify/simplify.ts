import { EditableGraph } from '../graph/editable-graph.ts';
import type { GraphProto } from '../graph/proto.ts';
import { foldAffine } from './fold-affine.ts';
import { foldNormalisation } from './fold-normalisation.ts';
import { joinPadding } from './join-padding.ts';
import { simplifyOperations } from './simplify-operations.ts';
import { simplifyProducts } from './simplify-products.ts';

/**
 * Brings a graph to the shape that TensorFlow runs fastest: convolution, bias and activation side by side, nothing
 * between that a constant could hold. Its scores stay the same but for rounding.
 * @param roots names of the nodes that must stay: inputs and outputs
 * @param shapes what is known of the shape of nodes' first outputs
 */
export function simplifyGraph(
  graph: GraphProto,
  roots: readonly string[],
  shapes: ReadonlyMap<string, readonly number[]>,
): GraphProto {
  const editable = new EditableGraph(graph, roots);
  const passes = [simplifyOperations, simplifyProducts, foldAffine, joinPadding, foldNormalisation];
  for (const simplify of passes) {
    editable.prune();
    simplify(editable, shapes);
  }
  return editable.toGraph();
}
