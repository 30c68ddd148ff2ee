import type { Manifest } from '../../model/manifest.ts';
import { negativeUpTo, positiveFrom } from '../samples/labels.ts';
import type { Source } from '../samples/sources.ts';
import { evaluationMarkers } from './evaluation-report.ts';
import { toMarkdownTable } from './markdown-table.ts';

/** What the trainer knows of the model that it made. */
export interface CardFacts {
  /** In a sentence or two: what it is for. */
  readonly summary: string;
  /** What of a picture the network sees, and at which size. */
  readonly input: string;
  /** What the network is made of. */
  readonly network: string;
  readonly parameters: number;
  /** In the order of the scores: from where to where its strength goes, and what it leaves out. */
  readonly labels: readonly { readonly label: string; readonly meaning: string }[];
  readonly policy: Manifest['policy'];
  /** The precision on calibration photographs that the thresholds were chosen at, 0…1. */
  readonly precision: { readonly review: number; readonly reject: number };
  /** Other precisions of review, by label. */
  readonly exceptions: ReadonlyMap<string, number>;
  /** Every photograph, by what it was used for. */
  readonly photos: Readonly<Record<'training' | 'calibration' | 'heldOut', readonly Source[]>>;
  /** How it was trained, one sentence an item. */
  readonly training: readonly string[];
  /** Makes it anew. */
  readonly command: string;
  /** What it can't do, one sentence an item. */
  readonly limits: readonly string[];
}

/** Writes MODEL_CARD.md, with a place for what `image-check evaluate` measures. */
export function toModelCard(facts: CardFacts): string {
  const { training, calibration, heldOut } = facts.photos;
  const photos = [...training, ...calibration, ...heldOut];
  return `# quality: is this picture usable?

${facts.summary}

- **Input**: ${facts.input}
- **Output**: a score from 0 to 1 for each label, independent of each other, meant as the probability that it is right.
- **Network**: ${facts.network} ${String(facts.parameters)} parameters.
- **Format**: tfjs layers model; runs on native TensorFlow and on WebAssembly.

## Labels

${toMarkdownTable(
  ['label', 'meaning'],
  facts.labels.map(({ label, meaning }) => [label, meaning]),
)}

## Policy

${toMarkdownTable(['label', 'review from', 'reject from'], toPolicyRows(facts))}

Chosen at a precision of ${toPercent(facts.precision.review)} for review${toExceptions(facts)} and ${toPercent(facts.precision.reject)} for reject, on photographs kept for that alone. A picture that
has a fault a little (target from ${String(negativeUpTo)} to ${String(positiveFrom)}) counts as a mistake of reject, and of review neither as one nor as a hit.

The manifest also has the policies \`strict\` and \`lenient\`: a missed fault costs three times as much, or a third, beside a
false alarm, so that the odds of each threshold are divided or multiplied by 3.

## Data

${String(photos.length)} photographs: the network learnt from ${String(training.length)}, scores and thresholds were calibrated by ${String(calibration.length)}, and ${String(heldOut.length)} were held
out. They are not part of this project; \`training.json\` names them. Origin and licence as their \`SOURCES.tsv\` tells:

${toMarkdownTable(['origin', 'licence', 'photographs'], toSourceRows(photos))}

The golden images are drawn by code (\`src/train/samples/landscape.ts\`) and belong to nobody.

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
