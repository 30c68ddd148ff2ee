import { degradePhoto } from '../samples/degradation.ts';
import { inputShape } from '../samples/network-input.ts';
import type { Photo } from '../samples/photos.ts';
import { drawBadSaves, drawHaze, drawNoise, drawPlan, type Plan, untouched } from '../samples/plan.ts';
import { createRandom, drawBetween, type Random } from '../samples/random.ts';
import type { Kind, LabelledPicture } from './labelled-picture.ts';

/** A kind of degradation, with its strength at each level from harmless to strongest. */
interface Damage {
  readonly kind: Kind;
  readonly values: readonly number[];
  readonly toPlan: (value: number, random: Random) => Partial<Plan>;
  readonly toStrength: (value: number) => string;
}

const toSpread = (spread: number): string => `σ ${spread.toFixed(1)} px`;
const toStops = (stops: number): string => `${stops < 0 ? '−' : '+'}${Math.abs(stops).toFixed(1)} stops`;

/** Half of the blurs are Gaussian, which training samples never have. */
const drawDefocus = (random: Random): 'disc' | 'gaussian' => (random() < 0.5 ? 'disc' : 'gaussian');

const damages: readonly Damage[] = [
  {
    kind: 'original',
    values: [92],
    toPlan: (quality) => ({ saves: [{ quality: Math.round(quality), scale: 1 }] }),
    toStrength: () => 'untouched',
  },
  {
    kind: 'defocus',
    values: [0.5, 1.2, 2.2, 4, 8],
    toPlan: (spread, random) => ({ blur: { kind: drawDefocus(random), spread } }),
    toStrength: toSpread,
  },
  {
    kind: 'motion',
    values: [0.5, 1.2, 2.2, 4, 8],
    toPlan: (spread) => ({ blur: { kind: 'motion', spread } }),
    toStrength: toSpread,
  },
  {
    kind: 'soft background',
    values: [1.5, 3, 5, 8, 12],
    toPlan: (spread) => ({ scene: 'soft background', backgroundSpread: spread }),
    toStrength: toSpread,
  },
  { kind: 'underexposure', values: [-1, -2.5, -4, -5.5, -7], toPlan: (stops) => ({ stops }), toStrength: toStops },
  { kind: 'overexposure', values: [0.7, 1.5, 2.5, 4, 5.5], toPlan: (stops) => ({ stops }), toStrength: toStops },
  {
    kind: 'low contrast',
    values: [0.8, 0.5, 0.35, 0.22, 0.12],
    toPlan: (share, random) => ({ haze: drawHaze(random, share) }),
    toStrength: (share) => `× ${share.toFixed(2)}`,
  },
  {
    kind: 'noise',
    values: [3, 7, 15, 28, 50],
    toPlan: (deviation, random) => ({ noise: drawNoise(random, deviation) }),
    toStrength: (deviation) => `σ ${deviation.toFixed(0)} of 255`,
  },
  {
    kind: 'compression',
    values: [75, 45, 22, 11, 5],
    toPlan: (quality, random) => ({ saves: drawBadSaves(random, quality) }),
    toStrength: (quality) => `quality ${quality.toFixed(0)}`,
  },
  { kind: 'blank', values: [0], toPlan: () => ({ scene: 'blank' }), toStrength: () => 'nothing to see' },
];

/** Pictures per photograph with faults drawn as in training. */
const combinations = 10;
/** Levels per photograph, of five; neighbouring photographs get the others. */
const levelsEach = 2;

/** Degrades every photograph in every kind and in random combinations; the same seed gives the same pictures. */
export async function* renderLabelledPictures(photos: readonly Photo[], seed: number): AsyncGenerator<LabelledPicture> {
  for (const [index, photo] of photos.entries()) {
    const random = createRandom(seed, index);
    for (const { kind, values, toPlan, toStrength } of damages) {
      for (const [level, value] of values.entries()) {
        if (values.length > levelsEach && (level + 2 * index) % values.length >= levelsEach) continue;
        const drawn = kind === 'original' ? value : value * drawBetween(random, 0.92, 1.08);
        const plan = { ...untouched, side: drawBetween(random, 0.8, 2.5), ...toPlan(drawn, random) };
        yield await render(photo, plan, random, { kind, level, strength: toStrength(drawn) });
      }
    }
    for (const picture of Array(combinations).keys()) {
      const own = createRandom(seed, (index + 1) * 1000 + picture);
      yield await render(photo, drawPlan(own), own, { kind: 'combination', level: 0, strength: 'as in training' });
    }
  }
}

async function render(
  photo: Photo,
  plan: Plan,
  random: Random,
  what: Pick<LabelledPicture, 'kind' | 'level' | 'strength'>,
): Promise<LabelledPicture> {
  const { bytes, targets } = await degradePhoto(photo, plan, inputShape, random);
  return { photo: photo.file, ...what, bytes, targets };
}
