import type { Manifest } from '../../model/manifest.ts';
import type { PhotoSplit } from '../learning/photo-split.ts';
import type { Round } from '../learning/schedule.ts';
import { precisions, reviewExceptions } from '../learning/thresholds.ts';
import { inputShape } from '../samples/network-input.ts';
import type { CardFacts } from './model-card.ts';

/** Outcome of a training. */
interface Outcome {
  readonly split: PhotoSplit;
  readonly policy: Manifest['policy'];
  readonly parameters: number;
  readonly seed: number;
  readonly rounds: readonly Round[];
}

const meanings = [
  [
    'blurry',
    "Defocus or motion blur of the whole frame: its standard deviation in the worst direction, from 0.75 (score 0) to 1.5 pixels (1) of the network's input. A sharp subject in front of a soft background is not blurry, nor is a smooth wall.",
  ],
  [
    'dark',
    'Share of the visible content that exposure turned black: 40 to 80 %. Detail counts more than smooth surfaces. A night scene with lights and detail is not dark.',
  ],
  [
    'overexposed',
    'Share of the visible content that exposure turned white: 20 to 50 %. White paper, white backgrounds, pale drawings and screens are not overexposed.',
  ],
  [
    'low_contrast',
    'Haze or a faded print: the 2nd and the 98th percentile of luma are 110 (0) to 70 (1) of 255 apart.',
  ],
  ['noisy', "Sensor noise: a root mean square in luma of 5 to 12 of 255, in pixels of the network's input."],
  ['blocky', 'Saved as JPEG of quality 34 (0) to 12 (1) at least once; blocks that were scaled down later count less.'],
  [
    'blank',
    'Nothing to see: a covered lens, a burnt-out flash, an empty sheet. Such a picture may also be dark or overexposed.',
  ],
] as const;

const limits = [
  'Its input is at most 640 × 480 pixels. It misses blur below about 0.2 % of the long side, and noise or blocks that are visible only at the full size of a large photograph.',
  'It was trained on simulated faults. Real ones differ; the table of real pictures, if there is one, shows by how much.',
  'Small pictures are judged at their own resolution: a thumbnail enlarged to twice its size passes, one enlarged to four times its size is blurry.',
  'Where exposure destroyed most of a picture, its sharpness, noise and contrast are not judged.',
  'Partly burnt-out photographs mostly pass: they resemble white pages and drawings, which must pass.',
  'Strong film grain and fine regular textures may be classified as noise; painted or strongly filtered pictures as blurry.',
  'The map is coarse, one cell for 32 × 32 pixels, and unreliable in cells without detail.',
];

/** Describes the network and its training for the model card. */
export function toCardFacts({ split, policy, parameters, seed, rounds }: Outcome): CardFacts {
  const { width, height } = inputShape;
  const fresh = rounds.reduce((sum, { steps, stage }) => sum + steps * stage.freshSamples, 0);
  const steps = rounds.reduce((sum, round) => sum + round.steps, 0);
  return {
    summary: 'The first check of an upload: is the picture usable at all? Each fault is a label of its own.',
    input: `the whole frame, RGB, scaled down to fit ${String(width)} × ${String(height)} and never enlarged; portraits are turned, and the rest of the raster is filled with the mirrored picture (\`resize: long-side\`).`,
    network:
      'five convolutions and a map of scores over 20 × 15 cells; the mean, the maximum of a cell and the maximum of a region of features and map feed two dense layers.',
    parameters,
    labels: meanings.map(([label, meaning]) => ({ label, meaning })),
    policy,
    precision: precisions,
    exceptions: reviewExceptions,
    photos: {
      training: split.training.map(({ source }) => source),
      calibration: split.calibration.map(({ source }) => source),
      heldOut: split.heldOut.map(({ source }) => source),
    },
    training: [
      'Scenes: photographs, cropped and turned; about a quarter become a sharp subject in front of a soft background, a product on white or a night scene. About a sixth are drawn: pages, screens, diagrams, walls and blank pictures.',
      'Blur and noise are simulated in linear light: disc kernels, curved paths of camera shake, shot and read noise with fine or coarse, grey or coloured grain. Exposure is a gain in linear light with clipping; haze moves all values towards one.',
      'Pictures are saved as JPEG once or several times, some at other sizes in between, and a fifth are converted to PNG or WebP. They are decoded as the service decodes an upload.',
      'Targets follow from the strength of the faults, measured where possible; unknown targets have no weight.',
      `${String(fresh)} samples in ${String(steps)} steps, most of them replayed several times, first at half the size; Adam, cross-entropy of the scores and of the map.`,
      'Then each score is calibrated to a probability (Platt scaling) and the thresholds are chosen, on a calibration set of other photographs.',
    ],
    command: `image-check train quality --photos DIR --out models/quality/2 --seed ${String(seed)} --rounds ${String(rounds.length)}`,
    limits,
  };
}
