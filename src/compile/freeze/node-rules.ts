import { dataType } from '../graph/proto.ts';
import { toConstAttr } from './flat-graph.ts';
import { FreezeRefusal } from './freeze-refusal.ts';
import { type NodeVisit, takeTensor, takeValue, takeVariable, toVariable } from './node-visit.ts';
import type { Outputs, Value } from './value.ts';

/** Determines a node's outputs in the flat graph. @throws FreezeRefusal if there is no faithful equivalent */
type NodeRule = (visit: NodeVisit) => Outputs;

const dead: Value = { kind: 'dead' };

/** Rules for operations that are not just copied. */
const rules = new Map<string, NodeRule>([
  ['Identity', takeFirst],
  ['Snapshot', takeFirst],
  ['StopGradient', takeFirst],
  ['PreventGradient', takeFirst],
  // Nothing feeds it, so it has its default value.
  ['PlaceholderWithDefault', takeFirst],
  ['IdentityN', ({ inputs }) => inputs],
  ['NoOp', takeNothing],
  ['ControlTrigger', takeNothing],
  // It may abort the original model; otherwise the result is the same without it.
  ['Assert', takeNothing],
  ['Placeholder', refusePlaceholder],
  ['Const', copyConst],
  ['VarHandleOp', (visit) => [{ kind: 'variable', variable: toVariable(visit) }]],
  ['VariableV2', (visit) => [visit.flat.addVariable(toVariable(visit))]],
  ['Variable', (visit) => [visit.flat.addVariable(toVariable(visit))]],
  ['ReadVariableOp', (visit) => [takeVariable(visit)]],
  ['ResourceGather', gatherRows],
  ['PartitionedCall', callFunction],
  ['StatefulPartitionedCall', callFunction],
  ['If', callBranch],
  ['StatelessIf', callBranch],
  ['Switch', (visit) => (decide(visit, 1) ? [dead, takeValue(visit, 0)] : [takeValue(visit, 0), dead])],
  ['Merge', mergeBranches],
]);

const unfollowed =
  /^(Ref)?(Enter|Exit|NextIteration|LoopCond|Switch|Merge|Select)$|^(Stateless)?(While|Case)$|^(For|_SwitchN)$/;
// Operations of TensorFlow 1 that write a reference variable; all others only read it.
const writesReference = /^(Assign|Scatter|Apply|SparseApply|CountUpTo)/;

/** Determines a node's outputs in the flat graph. @returns undefined if the node is to be copied */
export function applyRule(visit: NodeVisit): Outputs | undefined {
  const { node } = visit;
  const rule = rules.get(node.op);
  if (rule !== undefined) return rule(visit);
  if (unfollowed.test(node.op)) {
    throw new FreezeRefusal(`${node.op} ${node.name} is control flow that can't be followed`);
  }
  if (writesReference.test(node.op)) throw new FreezeRefusal(`${node.op} ${node.name} writes a variable`);
  return undefined;
}

function takeFirst(visit: NodeVisit): Outputs {
  return [takeValue(visit, 0)];
}

function takeNothing(): Outputs {
  return [];
}

function refusePlaceholder({ node }: NodeVisit): Outputs {
  throw new FreezeRefusal(`the placeholder ${node.name} is not an input of the signature`);
}

function copyConst({ flat, node }: NodeVisit): Outputs {
  const tensor = node.attr['value']?.tensor;
  if (tensor === undefined) throw new FreezeRefusal(`the constant ${node.name} has no value`);
  return flat.add({ name: node.name, op: 'Const', input: [], attr: toConstAttr(tensor) });
}

/** An embedding lookup: gathers rows of a variable without reading all of it. */
function gatherRows(visit: NodeVisit): Outputs {
  const { flat, node } = visit;
  const rows = takeVariable(visit);
  if (rows.kind !== 'tensor') throw new Error('a variable stands for a constant');
  const zero = { dtype: dataType.int32, tensorShape: { dim: [] }, intVal: [0] };
  const axis = flat.add({ name: `${node.name}/axis`, op: 'Const', input: [], attr: toConstAttr(zero) });
  const { dtype, Tindices, batch_dims: batchDims } = node.attr;
  if (dtype === undefined || Tindices === undefined) throw new FreezeRefusal(`${node.name} has no element type`);
  const attr = { Tparams: dtype, Tindices, Taxis: { type: dataType.int32 }, batch_dims: batchDims ?? { i: 0 } };
  return flat.add({ name: node.name, op: 'GatherV2', input: [rows.tensor, takeTensor(visit, 1), axis.flatNode], attr });
}

function callFunction(visit: NodeVisit): Outputs {
  const func = visit.node.attr['f']?.func;
  if (func === undefined) throw new FreezeRefusal(`${visit.node.name} names no function`);
  return visit.call(func.name, visit.inputs, func.attr ?? {});
}

function callBranch(visit: NodeVisit): Outputs {
  const branch = decide(visit, 0) ? 'then_branch' : 'else_branch';
  const func = visit.node.attr[branch]?.func;
  if (func === undefined) throw new FreezeRefusal(`${visit.node.name} names no ${branch}`);
  return visit.call(func.name, visit.inputs.slice(1), func.attr ?? {});
}

/** Evaluates which branch is taken for every input. */
function decide(visit: NodeVisit, place: number): boolean {
  const decision = visit.flat.evaluate(takeTensor(visit, place));
  if (decision !== undefined) return decision;
  throw new FreezeRefusal(`${visit.node.op} ${visit.node.name} takes a branch that depends on the input`);
}

function mergeBranches({ flat, node, inputs }: NodeVisit): Outputs {
  const alive = inputs.findIndex(({ kind }) => kind !== 'dead');
  const value = inputs[alive];
  if (value === undefined) return 'dead';
  const index = { dtype: dataType.int32, tensorShape: { dim: [] }, intVal: [alive] };
  const which = flat.add({ name: `${node.name}/which`, op: 'Const', input: [], attr: toConstAttr(index) });
  return [value, { kind: 'tensor', tensor: which.flatNode }];
}
