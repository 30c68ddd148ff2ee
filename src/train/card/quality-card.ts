import type { Manifest } from '../../model/manifest.ts';
import type { PhotoSplit } from '../learning/photo-split.ts';
import type { Round } from '../learning/schedule.ts';
import { precisions, reviewExceptions } from '../learning/thresholds.ts';
import { inputShape } from '../samples/network-input.ts';
import type { CardFacts } from './model-card.ts';

/** What a training knows when it is over. */
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
    'Out of focus or moved all over; standard deviation of the blur in its worst direction from 0.75 (score 0) to 1.5 pixels (1) of the picture as the network sees it. A sharp subject before a soft background is not blurry, nor is a smooth wall.',
  ],
  [
    'dark',
    'Of what could be made out, the share that exposure turned black: 40 to 80 %. Detail counts more than smooth surfaces. A night scene with lights and detail is not dark.',
  ],
  [
    'overexposed',
    'Of what could be made out, the share that exposure turned white: 20 to 50 %. White paper, white backgrounds, pale drawings and screens are not overexposed.',
  ],
  [
    'low_contrast',
    'Haze, a faded print: between the 2nd and the 98th percentile of luma there are 110 (0) to 70 (1) of 255.',
  ],
  ['noisy', 'Noise of the sensor: 5 to 12 of 255 in luma, root mean square, at the pixels that the network sees.'],
  [
    'blocky',
    'Saved as JPEG of quality 34 (0) to 12 (1) at some time; blocks that were made smaller since count as less.',
  ],
  [
    'blank',
    'Nothing to see: a covered lens, a flash, an empty sheet. Such a picture may be dark or overexposed as well.',
  ],
] as const;

const limits = [
  'It sees at most 640 × 480 pixels of a picture. A blur of less than about 0.2 % of the long side, and noise or blocks that can be seen at the full size of a large photograph only, are not seen.',
  'It was trained on faults made by code. Real ones differ; the table of real pictures says how much, where there is one.',
  'Small pictures are judged by their own pixels: a thumbnail that was enlarged to twice its size passes, one enlarged four times is blurry.',
  'Where exposure took most of a picture, its sharpness, noise and contrast are not told.',
  'Photographs that are burnt out in part mostly pass: pages and drawings, white as they are, look alike, and must pass.',
  'Strong film grain and fine regular textures may pass for noise; painted or strongly filtered pictures may pass for blurry.',
  'The map is coarse, one cell for 32 × 32 pixels, and guesses where a cell shows nothing to judge by.',
];

/** Says in words what the network is and how it came to be. */
export function toCardFacts({ split, policy, parameters, seed, rounds }: Outcome): CardFacts {
  const { width, height } = inputShape;
  const fresh = rounds.reduce((sum, { steps, stage }) => sum + steps * stage.freshSamples, 0);
  const steps = rounds.reduce((sum, round) => sum + round.steps, 0);
  return {
    summary: 'The first check of any upload: can this picture be used at all? Each fault is a label of its own.',
    input: `the whole frame, RGB, reduced to fit ${String(width)} × ${String(height)} and never enlarged; portraits are turned, and what is left of the frame shows the picture mirrored (\`resize: long-side\`).`,
    network:
      'five convolutions, a map of scores over 20 × 15 cells, and of features and map the mean, the most of a cell and the most of a region into two dense layers.',
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
      'Scenes: photographs, cropped and turned; a quarter are made into a sharp subject before a soft background, a product on white, a night scene. A tenth are drawn: pages, screens, diagrams, walls, and pictures of nothing.',
      'Blur and noise are made in linear light: disc kernels, bent paths of a moving camera, noise of light and of the sensor with fine or coarse, grey or coloured grain. Exposure is a gain in linear light, cut off; haze moves all values towards one.',
      'Pictures are saved as JPEG once or several times, at other sizes in between, and a fifth come as PNG or WebP. They are decoded as the service decodes an upload.',
      'Labels come from the strength, measured where it can be; what nobody could tell has no weight.',
      `${String(fresh)} pictures in ${String(steps)} steps, most of them seen several times, first at half the size; Adam, cross-entropy of the scores and of the map.`,
      'Each score is then fitted to be a probability (Platt), and the thresholds are chosen, on photographs kept for that alone.',
    ],
    command: `image-check train quality --photos DIR --out models/quality/2 --seed ${String(seed)} --rounds ${String(rounds.length)}`,
    limits,
  };
}
