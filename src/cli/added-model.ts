import path from 'node:path';
import type { Manifest } from '../model/manifest.ts';
import type { ModelVersion } from '../model/model-version.ts';
import type { AddedModel } from '../model-import/add-model.ts';
import type { NetworkFacts } from '../model-import/describe-network.ts';
import { isFloat, toShapeText } from '../model-import/model-choices.ts';
import { toShortList } from '../short-list.ts';
import { describeOutcome } from './models-compile.ts';
import { toTable } from './text-table.ts';

/** Renders a table of what was detected in an added model, followed by what the user has to review. */
export function describeAdded({ model, found, network, outcome, guessed, isKnown }: AddedModel): string {
  const { input, output, golden, policy } = model.manifest;
  const { scale, offset } = input.normalise;
  const bytes = found.files.reduce((sum, file) => sum + file.bytes, 0);
  const rows = [
    ['model', `${model.name}@${model.version}`],
    ['folder', model.dir],
    ['format', `${found.format}, ${String(found.files.length)} files, ${(bytes / 1e6).toFixed(2)} MB`],
    ...toTensorRows('input', network.inputs),
    ...toTensorRows('output', network.outputs),
    ['picture', describePicture(input)],
    ['normalise', `x · ${String(scale)} + ${String(offset)}, for x in 0…255`],
    ...(network.scaling === undefined ? [] : [['scaling', `by the network itself: ${network.scaling}`]]),
    ['scores', `${output.kind}, activation ${output.activation}`],
    ['labels', toShortList(output.labels)],
    ...(isKnown ? [['metadata', 'metadata.json of Teachable Machine: labels and input are taken from it']] : []),
    ['policy', Object.keys(policy).length > 0 ? toShortList(Object.keys(policy)) : 'none: nothing is ever flagged'],
    ...golden.map(({ image, scores }) => ['golden', `${image}: ${toShortList(scores.map((each) => each.toFixed(4)))}`]),
    ['form', describeOutcome(model, outcome, 'now')],
  ];
  const notes = [...listNotes(model, network, guessed), ...listDoubts(outcome)].map((note) => `- ${note}\n`);
  const heading = `\nTo look at in ${path.join(model.dir, 'manifest.json')}:\n`;
  return `${toTable(rows)}${notes.length > 0 ? heading : ''}${notes.join('')}`;
}

function describePicture({ width, height, resize, kernel, coordinates, colour }: Manifest['input']): string {
  const how = kernel === 'lanczos' ? kernel : `${kernel} ${coordinates}`;
  return `${String(width)}x${String(height)}, ${resize}, ${how}, ${colour}`;
}

function toTensorRows(what: string, tensors: NetworkFacts['inputs']): string[][] {
  return tensors.map(({ name, dtype, shape }) => [what, `${name} ${dtype} ${toShapeText(shape)}`]);
}

/** Operations that draw random numbers are active only in training. */
function listDoubts(outcome: AddedModel['outcome']): string[] {
  if (outcome.kind !== 'refused' || !/Rng|random/i.test(outcome.reason)) return [];
  return [
    'the network draws random numbers, so its scores change from one time to the next: export it with training=False',
  ];
}

function listNotes({ manifest }: ModelVersion, network: NetworkFacts, guessed: AddedModel['guessed']): string[] {
  const notes: string[] = [];
  if (guessed.labels) notes.push('output.labels are placeholders: name them in the order of the scores');
  if (Object.keys(manifest.policy).length === 0) {
    notes.push('policy is empty: say which score of a label flags a picture');
  }
  if (guessed.normalise && network.inputs.every(isFloat)) {
    notes.push(
      'normalise is a guess, 0…1; a model trained on -1…1 has to be added again with --scale 1/127.5 --offset -1',
    );
  }
  const { scale, offset } = manifest.input.normalise;
  if (network.scaling !== undefined && !(scale === 1 && offset === 0)) {
    notes.push(
      `the network scales 0…255 itself (${network.scaling}), and --scale or --offset scale before that: add it again without them`,
    );
  }
  const scores = manifest.golden.flatMap((golden) => golden.scores);
  if (scores.some((score) => score < 0 || score > 1)) {
    notes.push('scores are outside 0…1: add it again with --activation sigmoid or softmax');
  }
  return notes;
}
