import type { ArgProto, AttrProto, MetaGraphProto, NodeProto, OpProto } from '../graph/proto.ts';
import { FreezeRefusal } from './freeze-refusal.ts';

/** Definitions of the operations and functions used by a meta graph. */
export interface OpDefinitions {
  /** Whether an operation depends on state outside the graph: random numbers, tables, files. */
  isStateful: (op: string) => boolean;
  /** The position among all outputs of the node of element `index` of the output `output`. */
  toOutputPlace: (node: NodeProto, output: string, index: number) => number;
}

// Marked stateful to prevent folding, but their results don't depend on state.
const harmless = new Set(['CheckNumerics', 'CheckNumericsV2']);

// TensorFlow omits the definitions of operations that only the branches of an If use. In all operations of TensorFlow an output
// with one of these names is the first.
const knownFirst = new Set(['output', 'y', 'z', 'product', 'activations', 'softmax']);

// For operations without a definition.
const knownStateful =
  /^(Random|Stateful|Multinomial|TruncatedNormal|Parameterized|Iterator|Stack|TensorArray|Barrier|Print|PyFunc|Eager)|Table|Dataset|Queue|Reader/;

const readVariable: OpProto = {
  name: 'ReadVariableOp',
  inputArg: [],
  outputArg: [{ name: 'value' }],
  isStateful: true,
};

/** Reads the definitions in a meta graph. */
export function readDefinitions(metaGraph: MetaGraphProto): OpDefinitions {
  const functions = metaGraph.graphDef.library?.function.map(({ signature }) => signature) ?? [];
  const definitions = new Map<string, OpProto>([[readVariable.name, readVariable]]);
  for (const each of [...(metaGraph.metaInfoDef.strippedOpList?.op ?? []), ...functions]) {
    definitions.set(each.name, each);
  }
  return {
    isStateful: (op) => !harmless.has(op) && (definitions.get(op)?.isStateful ?? knownStateful.test(op)),
    toOutputPlace: (node, output, index) => {
      const definition = definitions.get(node.op);
      if (definition === undefined && knownFirst.has(output)) return index;
      if (definition === undefined) throw new FreezeRefusal(`the model has no definition of the operation ${node.op}`);
      let place = 0;
      for (const arg of definition.outputArg) {
        if (arg.name === output) return place + index;
        place += countTensors(arg, node.attr);
      }
      throw new FreezeRefusal(`the operation ${node.op} has no output ${output}`);
    },
  };
}

function countTensors(arg: ArgProto, attr: Readonly<Record<string, AttrProto>>): number {
  if (arg.numberAttr) return attr[arg.numberAttr]?.i ?? 1;
  if (arg.typeListAttr) return attr[arg.typeListAttr]?.list?.type?.length ?? 0;
  return 1;
}
