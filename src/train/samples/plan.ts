import type { Random } from './random.ts';
import { drawBetween, drawLogBetween } from './random.ts';
import type { SensorNoise } from './sensor-noise.ts';

/** Content of a picture before degradation. */
export type SceneKind =
  | 'photo'
  /** A sharp subject in front of a defocused background. */
  | 'soft background'
  /** A subject on white. */
  | 'product'
  /** A dark picture with lights and detail. */
  | 'night'
  | 'page'
  | 'screen'
  | 'diagram'
  | 'wall'
  | 'blank';

/** Blur of the whole frame; `spread` as `kernels.measureSpread` defines it, in pixels of the raster. */
export interface Blur {
  readonly kind: 'disc' | 'motion' | 'gaussian';
  readonly spread: number;
}

/** One save as JPEG. */
export interface Save {
  readonly quality: number;
  /** Scale applied before saving. */
  readonly scale: number;
}

/** What is done to a photograph, in this order. */
export interface Plan {
  readonly scene: SceneKind;
  /** Spread of the background's blur, in a scene with a soft background. */
  readonly backgroundSpread: number;
  /** Size of the crop as shares of the sides; its position as shares of the rest. */
  readonly crop: { readonly wide: number; readonly high: number; readonly left: number; readonly top: number };
  readonly turn: 0 | 90 | 180 | 270;
  readonly isFlipped: boolean;
  /** Long side of the upload as a multiple of the raster's. */
  readonly side: number;
  /** Whether a smaller photograph is enlarged to that. */
  readonly isEnlarged: boolean;
  readonly blur?: Blur;
  /** Share of the contrast that remains, and the value that all values move towards. */
  readonly haze?: { readonly share: number; readonly towards: number };
  readonly stops: number;
  readonly noise?: SensorNoise;
  /** The result of the last one may be converted to `format`. */
  readonly saves: readonly Save[];
  readonly format: 'jpeg' | 'png' | 'webp';
}

/** A good photograph at high JPEG quality. */
export const untouched: Plan = {
  scene: 'photo',
  backgroundSpread: 0,
  crop: { wide: 1, high: 1, left: 0, top: 0 },
  turn: 0,
  isFlipped: false,
  side: 2.5,
  isEnlarged: false,
  stops: 0,
  saves: [{ quality: 92, scale: 1 }],
  format: 'jpeg',
};

const scenes: readonly (readonly [SceneKind, number])[] = [
  ['photo', 0.6],
  ['soft background', 0.12],
  ['product', 0.06],
  ['night', 0.05],
  ['page', 0.06],
  ['screen', 0.03],
  ['diagram', 0.02],
  ['wall', 0.03],
  ['blank', 0.03],
];

/** Draws the plan of a training sample: about a quarter good, the others with one or more faults. */
export function drawPlan(random: Random): Plan {
  const frame = drawFrame(random);
  const plan: Plan = { ...untouched, ...frame, scene: drawSceneKind(random), saves: drawGoodSaves(random) };
  if (random() < 0.22) return { ...plan, stops: drawBetween(random, -0.6, 0.4) };
  const has = (share: number): boolean => random() < share;
  return {
    ...plan,
    ...(has(0.42) && { blur: drawBlur(random, random() < 0.55 ? 'disc' : 'motion', drawLogBetween(random, 0.35, 10)) }),
    ...(has(0.2) && { haze: drawHaze(random, drawBetween(random, 0.06, 0.9)) }),
    stops: has(0.33) ? drawStops(random) : drawBetween(random, -0.8, 0.5),
    ...(has(0.4) && { noise: drawNoise(random, drawLogBetween(random, 2, 60)) }),
    ...(has(0.32) && { saves: drawBadSaves(random, drawLogBetween(random, 4, 45)) }),
  };
}

/** Draws crop, turn, size and format. */
function drawFrame(
  random: Random,
): Pick<Plan, 'crop' | 'turn' | 'isFlipped' | 'side' | 'isEnlarged' | 'format' | 'backgroundSpread'> {
  const share = random() < 0.3 ? 1 : drawBetween(random, 0.5, 1);
  const format = random();
  return {
    crop: {
      wide: share * drawBetween(random, 0.8, 1),
      high: share * drawBetween(random, 0.8, 1),
      left: random(),
      top: random(),
    },
    turn: ([0, 0, 90, 270, 180] as const)[Math.floor(random() * 5)] ?? 0,
    isFlipped: random() < 0.5,
    side: random() < 0.4 ? drawBetween(random, 0.45, 1) : drawLogBetween(random, 0.9, 2.3),
    isEnlarged: random() < 0.1,
    format: format < 0.8 ? 'jpeg' : format < 0.9 ? 'png' : 'webp',
    backgroundSpread: drawLogBetween(random, 1.5, 12),
  };
}

/** Draws a blur of about `spread`. */
function drawBlur(random: Random, kind: Blur['kind'], spread: number): Blur {
  return { kind, spread: spread * drawBetween(random, 0.93, 1.07) };
}

/** Draws a haze that leaves a `share` of the contrast. */
export function drawHaze(random: Random, share: number): { share: number; towards: number } {
  return { share, towards: random() < 0.6 ? drawBetween(random, 110, 225) : drawBetween(random, 40, 160) };
}

/** Draws sensor noise of a `deviation` as {@link SensorNoise} defines it. */
export function drawNoise(random: Random, deviation: number): SensorNoise {
  return {
    deviation,
    readShare: drawBetween(random, 0.02, 0.4),
    greyShare: drawBetween(random, 0.2, 1),
    grain: random() < 0.55 ? 1 : drawBetween(random, 1, 2.2),
  };
}

function drawGoodSaves(random: Random): Save[] {
  const last = { quality: Math.round(drawBetween(random, 60, 97)), scale: 1 };
  if (random() < 0.7) return [last];
  return [
    { quality: Math.round(drawBetween(random, 60, 97)), scale: 1 },
    { ...last, scale: drawBetween(random, 0.7, 1.2) },
  ];
}

/** Draws a chain of saves with a bad one, which may be followed by a good one at another size. */
export function drawBadSaves(random: Random, quality: number): Save[] {
  const bad = { quality: Math.round(quality), scale: 1 };
  const before = random() < 0.3 ? [{ quality: Math.round(drawBetween(random, 50, 95)), scale: 1 }] : [];
  if (random() < 0.65) return [...before, bad];
  const after = {
    quality: Math.round(drawBetween(random, 75, 95)),
    scale: random() < 0.5 ? 1 : drawBetween(random, 0.7, 1.3),
  };
  return [...before, bad, after];
}

function drawStops(random: Random): number {
  return random() < 0.55 ? drawBetween(random, -8, -0.8) : drawBetween(random, 0.5, 6);
}

function drawSceneKind(random: Random): SceneKind {
  let left = random();
  for (const [scene, share] of scenes) {
    left -= share;
    if (left < 0) return scene;
  }
  return 'photo';
}
