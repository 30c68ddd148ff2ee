import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { exitCodes, ExitError, toMessage } from '../../errors.ts';
import type { ModelEvaluation } from '../evaluation/evaluate-model.ts';
import { drawPlots } from './evaluation-plots.ts';
import {
  type Table,
  toCount,
  toFolderTable,
  toInvarianceTable,
  toKindTable,
  toLabelTable,
  toPolicyTable,
  toRealTable,
} from './evaluation-tables.ts';
import { toMarkdownTable } from './markdown-table.ts';

/** Markers around the card's evaluation; the text outside them is never changed. */
export const evaluationMarkers = { begin: '<!-- evaluation -->', end: '<!-- /evaluation -->' } as const;

const cardFile = 'MODEL_CARD.md';
const plotFolder = 'evaluation';

/** A model card, split at its evaluation. */
export interface OpenCard {
  readonly modelDir: string;
  readonly before: string;
  readonly after: string;
}

/**
 * Reads a model's card; without markers they are added at its end, and a missing card is created.
 * @throws {@link ExitError} 78 where the card can't be read or has one marker without the other
 */
export async function openCard(modelDir: string): Promise<OpenCard> {
  const file = path.join(modelDir, cardFile);
  const text = await readFile(file, 'utf8').catch((thrown: unknown) => {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return `# Model card\n`;
    throw new ExitError(exitCodes.configuration, `${file} can't be read: ${toMessage(thrown)}`, { cause: thrown });
  });
  const begin = text.indexOf(evaluationMarkers.begin);
  const end = text.indexOf(evaluationMarkers.end);
  if (begin === -1 && end === -1) {
    return {
      modelDir,
      before: `${text.trimEnd()}\n\n## Evaluation\n\n${evaluationMarkers.begin}`,
      after: `${evaluationMarkers.end}\n`,
    };
  }
  if (begin !== -1 && end > begin) {
    return { modelDir, before: text.slice(0, begin + evaluationMarkers.begin.length), after: text.slice(end) };
  }
  const message = `${file} must have ${evaluationMarkers.begin} followed by ${evaluationMarkers.end}, or neither`;
  throw new ExitError(exitCodes.configuration, message);
}

/**
 * Writes the figures into the model's card and the plots beside it.
 * @throws {@link ExitError} 78 where the model's folder can't be written
 */
export async function writeReport(card: OpenCard, evaluation: ModelEvaluation): Promise<void> {
  const plots = await drawPlots(evaluation.synthetic);
  const dir = path.join(card.modelDir, plotFolder);
  try {
    await mkdir(dir, { recursive: true });
    for (const [name, svg] of plots) await writeFile(path.join(dir, name), svg);
    const text = `${card.before}\n\n${toSection(evaluation)}\n\n${card.after}`;
    await writeFile(path.join(card.modelDir, cardFile), text);
  } catch (thrown) {
    const message = `the evaluation can't be written: ${toMessage(thrown)}`;
    throw new ExitError(exitCodes.configuration, message, { cause: thrown });
  }
}

/** Renders the card's section; of real pictures it has folders and counts, no file names. */
function toSection(evaluation: ModelEvaluation): string {
  const { synthetic, invariance, real } = evaluation;
  return [
    toIntroduction(evaluation),
    toMarkdown(toLabelTable(synthetic.labels)),
    `![ROC curves](${plotFolder}/roc.svg)`,
    `![Reliability](${plotFolder}/reliability.svg)`,
    '### Thresholds',
    `Precision and recall of each label at the policy's thresholds, on the same pictures:`,
    toMarkdown(toPolicyTable(synthetic.labels)),
    '### Kinds and strengths',
    `The mean score of the kind's label, and the share of pictures that any label flags (review or reject) and rejects; level 0
is harmless.`,
    toMarkdown(toKindTable(synthetic)),
    `![Score over strength](${plotFolder}/strength.svg)`,
    '### Untouched originals',
    ...toOriginals(synthetic.originals),
    '### Other forms of the same picture',
    'Each held-out photograph in other, equivalent forms:',
    toMarkdown(toInvarianceTable(invariance)),
    ...(real ? ['### Real pictures', ...toRealParts(real)] : []),
  ].join('\n\n');
}

function toIntroduction({ model, seed, heldOut, synthetic, real }: ModelEvaluation): string {
  const [name = '', version = ''] = model.split('@');
  const command = `image-check evaluate --model models/${name}/${version} --photos DIR${real ? ' --real DIR' : ''}`;
  const photos = String(heldOut.files.length);
  return `${String(synthetic.pictures)} pictures rendered from ${photos} photographs, ${toHistory(heldOut.seen)}:

\`\`\`
${command} --seed ${String(seed)}
\`\`\`

AUC is the probability that a degraded picture scores above a good one (1 is perfect, 0.5 chance), over all pictures with a
known target and over the clear cases only; calibration error is the mean difference between scores and targets. The
classical measures are computed on the same pictures at their full size.`;
}

function toHistory(seen: number | undefined): string {
  if (seen === undefined) return 'without a record of which ones the model was trained on';
  return seen === 0
    ? 'none of which was used in training'
    : `without the ${String(seen)} in the folder that were used in training`;
}

function toOriginals({ pictures, flagged, rejected }: ModelEvaluation['synthetic']['originals']): string[] {
  const toNames = (names: readonly string[]): string => (names.length === 0 ? '' : `: ${names.join(', ')}`);
  return [
    `Of ${String(pictures)} untouched photographs:`,
    `- flagged ${toCount(flagged.length, pictures)}${toNames(flagged)}
- rejected ${toCount(rejected.length, pictures)}${toNames(rejected)}`,
  ];
}

function toRealParts(real: NonNullable<ModelEvaluation['real']>): string[] {
  return [
    `Pictures with real faults, labelled by people. Each label's pictures against all good ones:`,
    toMarkdown(toRealTable(real)),
    `Flagged and rejected pictures by folder:`,
    toMarkdown(toFolderTable(real)),
  ];
}

function toMarkdown({ head, rows }: Table): string {
  return toMarkdownTable(head, rows);
}
