import type { Figures } from './evaluation.ts';
import { policy, qualityLabels } from './labels.ts';
import { inputShape } from './network.ts';
import type { Photo } from './photos.ts';

/** What a model was made from, and how long. */
export interface TrainingFacts {
  readonly photos: readonly Photo[];
  readonly learnt: number;
  readonly samples: number;
  readonly epochs: number;
  readonly seed: number;
  readonly parameters: number;
}

/** Writes MODEL_CARD.md: what the model is, what it learnt from, how well it does on photographs it never saw. */
export function toModelCard(facts: TrainingFacts, figures: Figures): string {
  const { seed, epochs } = facts;
  return `# quality: is this picture usable?

A first, small model. It sees that a whole picture is blurred, black or white, and knows little else; a better one is
meant to take its place.

- **Input**: the whole frame, stretched to ${String(inputShape.width)}×${String(inputShape.height)}, RGB.
- **Output**: a score from 0 to 1 for each of ${qualityLabels.join(', ')}, independent of each other.
- **Network**: five 3×3 convolutions of stride 2, their mean and maximum over the frame, two dense layers:
  ${String(facts.parameters)} parameters, float32, no batch normalisation.
- **Format**: tfjs layers model; runs on native TensorFlow and on WebAssembly.

## Policy

${toTable(['label', 'review from', 'reject from'], toPolicyRows())}

## Data

${String(facts.photos.length)} photographs, of which the network saw ${String(facts.learnt)}. They are not part of this project. Origin and licence as
their \`SOURCES.tsv\` tells:

${toTable(['origin', 'licence', 'photographs'], toSourceRows(facts.photos))}

The golden images are drawn by code (\`src/train/scene.ts\`) and belong to nobody.

## Training

${String(facts.samples)} pictures: each photograph is cropped a little and degraded at random strengths, compressed as JPEG and decoded as
the service decodes an upload. Labels come from the strength:

- \`blurry\`: Gaussian blur, from 0 at 0.2 % of the long side to 1 at 0.7 %; not judged where exposure destroyed most.
- \`dark\`: of what could be made out before, the share that exposure turned black, from 0 at 40 % to 1 at 80 %.
- \`overexposed\`: of what was not white before, the share that exposure turned white, from 0 at 30 % to 1 at 70 %.

Adam at three falling rates, ${String(epochs)} passes. To repeat it:

\`\`\`
image-check train quality --photos DIR --out models/quality/1 --seed ${String(seed)} --epochs ${String(epochs)}
\`\`\`

## Figures

Measured on ${String(figures.heldOut.length)} photographs of which the network saw no pixel (drawn by the seed). How well a score ranks the
damaged above the good, over ${String(figures.samples)} random degradations, weak ones too (area under the ROC curve; 1 is perfect, 0.5 blind):

${toTable(['label', 'area'], toAreaRows(figures))}

How many are flagged (review or reject) and rejected after one and the same degradation:

${toTable(['degradation', 'photographs', 'flagged', 'rejected', 'wrong'], toRateRows(figures))}

Held out: ${figures.heldOut.join(', ')}.

## Limits

- With so few photographs, the rates above have wide margins: one photograph is ${(100 / figures.heldOut.length).toFixed(0)} %.
- It knows Gaussian blur of the whole frame. Motion blur, a missed focus on one face, noise, blocks of compression and
  low contrast are beyond it.
- Fog, calm water and plain walls have no sharp detail at this size; they may pass for blurry.
- A blur below about 0.5 % of the long side can't be told at this size.
- Overexposed means that nearly the whole frame is lost: a burnt-out subject before a black wall passes.
- Screenshots, drawings and pages of text were hardly among the photographs.
`;
}

function toPolicyRows(): string[][] {
  return qualityLabels.map((label) => [label, String(policy[label].review), String(policy[label].reject)]);
}

function toSourceRows(photos: readonly Photo[]): string[][] {
  const counts = new Map<string, number>();
  for (const { source } of photos) {
    const key = `${source.origin}\t${source.licence}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].map(([key, count]) => [...key.split('\t'), String(count)]);
}

function toAreaRows(figures: Figures): string[][] {
  return qualityLabels.map((label) => [label, figures.areas[label].toFixed(4)]);
}

function toRateRows(figures: Figures): string[][] {
  return figures.rates.map(({ name, total, flagged, rejected, wrong }) => [
    name,
    String(total),
    String(flagged),
    String(rejected),
    wrong.join(', '),
  ]);
}

/** A Markdown table, its columns padded to one width. */
function toTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const toLine = (row: readonly string[]) =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`;
  return [toLine(head), toLine(widths.map((width) => '-'.repeat(width))), ...rows.map(toLine)].join('\n');
}
