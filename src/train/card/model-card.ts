import type { Manifest } from '../../model/manifest.ts';
import { negativeUpTo, positiveFrom } from '../samples/labels.ts';
import type { Source } from '../samples/sources.ts';
import { evaluationMarkers } from './evaluation-report.ts';
import { toMarkdownTable } from './markdown-table.ts';

/** Content of a model card. */
export interface CardFacts {
  /** Purpose, in one or two sentences. */
  readonly summary: string;
  /** The network's input: part and size of a picture. */
  readonly input: string;
  /** Architecture of the network. */
  readonly network: string;
  readonly parameters: number;
  /** In the order of the scores; the meaning gives the range of strength and the exceptions. */
  readonly labels: readonly { readonly label: string; readonly meaning: string }[];
  readonly policy: Manifest['policy'];
  /** Precision on the calibration set that the thresholds were chosen for, 0…1. */
  readonly precision: { readonly review: number; readonly reject: number };
  /** Labels with another precision of review. */
  readonly exceptions: ReadonlyMap<string, number>;
  /** Sources of the photographs of each set. */
  readonly photos: Readonly<Record<'training' | 'calibration' | 'heldOut', readonly Source[]>>;
  /** How it was trained, as list items. */
  readonly training: readonly string[];
  /** Command that repeats the training. */
  readonly command: string;
  /** Known limits, as list items. */
  readonly limits: readonly string[];
}

/** Renders MODEL_CARD.md, with a placeholder for the figures of `image-check evaluate`. */
export function toModelCard(facts: CardFacts): string {
  const { training, calibration, heldOut } = facts.photos;
  const photos = [...training, ...calibration, ...heldOut];
  return `# quality: is this picture usable?

${facts.summary}

- **Input**: ${facts.input}
- **Output**: an independent score from 0 to 1 for each label, calibrated as the probability that the label applies.
- **Network**: ${facts.network} ${String(facts.parameters)} parameters.
- **Format**: tfjs layers model; runs on native TensorFlow and on WebAssembly.

## Labels

${toMarkdownTable(
  ['label', 'meaning'],
  facts.labels.map(({ label, meaning }) => [label, meaning]),
)}

## Policy

${toMarkdownTable(['label', 'review from', 'reject from'], toPolicyRows(facts))}

Chosen for a precision of ${toPercent(facts.precision.review)} for review${toExceptions(facts)} and ${toPercent(facts.precision.reject)} for reject, on the calibration set. A borderline
picture (target from ${String(negativeUpTo)} to ${String(positiveFrom)}) counts as an error of reject and is left out for review.

The manifest also has the policies \`strict\` and \`lenient\`: a missed fault costs three times or a third as much relative to
a false alarm, so the odds of each threshold are divided or multiplied by 3.

## Data

${String(photos.length)} photographs: ${String(training.length)} in the training set, ${String(calibration.length)} in the calibration set, ${String(heldOut.length)} held out for the
evaluation. They are not part of this project; \`training.json\` names them. Origin and licence according to \`SOURCES.tsv\`:

${toMarkdownTable(['origin', 'licence', 'photographs'], toSourceRows(photos))}

The golden images are generated (\`src/train/samples/landscape.ts\`).

## Training

${toList(facts.training)}

To repeat it:

\`\`\`
${facts.command}
\`\`\`

## Evaluation

${evaluationMarkers.begin}

Not evaluated yet.

${evaluationMarkers.end}

## Limits

${toList(facts.limits)}
`;
}

function toExceptions({ exceptions }: CardFacts): string {
  const parts = [...exceptions].map(([label, precision]) => `${label} ${toPercent(precision)}`);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

function toPolicyRows({ labels, policy }: CardFacts): string[][] {
  const toCell = (threshold: number | undefined): string => (threshold === undefined ? 'never' : String(threshold));
  return labels.map(({ label }) => [label, toCell(policy[label]?.review), toCell(policy[label]?.reject)]);
}

function toSourceRows(sources: readonly Source[]): string[][] {
  const counts = new Map<string, { readonly source: Source; readonly count: number }>();
  for (const source of sources) {
    const key = `${source.origin}\t${source.licence}`;
    counts.set(key, { source, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  return [...counts.values()].map(({ source, count }) => [source.origin, source.licence, String(count)]);
}

function toList(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n');
}

function toPercent(share: number): string {
  return `${String(Math.round(share * 1000) / 10)} %`;
}
