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

/** Between these the card's evaluation stands; everything around them is somebody else's. */
export const evaluationMarkers = { begin: '<!-- evaluation -->', end: '<!-- /evaluation -->' } as const;

const cardFile = 'MODEL_CARD.md';
const plotFolder = 'evaluation';

/** A model card whose place for an evaluation is known. */
export interface OpenCard {
  readonly modelDir: string;
  readonly before: string;
  readonly after: string;
}

/**
 * Reads a model's card; one without the marks gets them at its end, and a model without a card gets one.
 * @throws {@link ExitError} 78 where the card can't be read or has one mark without the other
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
  const message = `${file} must have ${evaluationMarkers.begin} and after it ${evaluationMarkers.end}, or neither`;
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

/** The card's section; `real` pictures are told by folder and count alone. */
function toSection(evaluation: ModelEvaluation): string {
  const { synthetic, invariance, real } = evaluation;
  return [
    toIntroduction(evaluation),
    toMarkdown(toLabelTable(synthetic.labels)),
    `![ROC curves](${plotFolder}/roc.svg)`,
    `![Reliability](${plotFolder}/reliability.svg)`,
    '### Thresholds',
    `What the policy's thresholds do to the same pictures, a label alone:`,
    toMarkdown(toPolicyTable(synthetic.labels)),
    '### Kinds and strengths',
    `The mean score of the label that a kind concerns, and how many pictures are flagged (review or reject) and rejected by
any label; level 0 is harmless.`,
    toMarkdown(toKindTable(synthetic)),
    `![Score over strength](${plotFolder}/strength.svg)`,
    '### Untouched originals',
    ...toOriginals(synthetic.originals),
    '### Other forms of the same picture',
    'Each held-out photograph once more, in a form in which it is as good:',
    toMarkdown(toInvarianceTable(invariance)),
    ...(real ? ['### Real pictures', ...toRealParts(real)] : []),
  ].join('\n\n');
}

function toIntroduction({ model, seed, heldOut, synthetic, real }: ModelEvaluation): string {
  const [name = '', version = ''] = model.split('@');
  const command = `image-check evaluate --model models/${name}/${version} --photos DIR${real ? ' --real DIR' : ''}`;
  const photos = String(heldOut.files.length);
  return `${String(synthetic.pictures)} pictures made of ${photos} photographs, ${toHistory(heldOut.seen)}:

\`\`\`
${command} --seed ${String(seed)}
\`\`\`

AUC is the chance that a damaged picture scores above a good one (1 perfect, 0.5 blind), over all pictures that can be
judged and over the clear cases alone; calibration error is the mean distance of scores from what came true. The classical
measures are computed on the very same pictures at their full size.`;
}

function toHistory(seen: number | undefined): string {
  if (seen === undefined) return 'of which nobody wrote down whether the model saw them';
  return seen === 0 ? 'none of which the model saw' : `without the ${String(seen)} of the folder that the model saw`;
}

function toOriginals({ pictures, flagged, rejected }: ModelEvaluation['synthetic']['originals']): string[] {
  const toNames = (names: readonly string[]): string => (names.length === 0 ? '' : `: ${names.join(', ')}`);
  return [
    `Of ${String(pictures)} photographs that nothing was done to:`,
    `- flagged ${toCount(flagged.length, pictures)}${toNames(flagged)}
- rejected ${toCount(rejected.length, pictures)}${toNames(rejected)}`,
  ];
}

function toRealParts(real: NonNullable<ModelEvaluation['real']>): string[] {
  return [
    `Pictures that nobody degraded on purpose, judged by people. Each label's against all good ones:`,
    toMarkdown(toRealTable(real)),
    `How many of each folder are flagged and rejected:`,
    toMarkdown(toFolderTable(real)),
  ];
}

function toMarkdown({ head, rows }: Table): string {
  return toMarkdownTable(head, rows);
}
