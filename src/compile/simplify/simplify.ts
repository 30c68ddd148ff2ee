import { EditableGraph } from '../graph/editable-graph.ts';
import type { GraphProto } from '../graph/proto.ts';
import { foldAffine } from './fold-affine.ts';
import { foldNormalisation } from './fold-normalisation.ts';
import { joinPadding } from './join-padding.ts';
import { simplifyOperations } from './simplify-operations.ts';
import { simplifyProducts } from './simplify-products.ts';

/**
 * Rewrites a graph to the form that TensorFlow runs fastest: convolution, bias and activation adjacent, and everything else
 * folded into constants. Scores change by rounding only.
 * @param roots names of the nodes to keep: inputs and outputs
 * @param shapes known shapes of first outputs by node name
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
