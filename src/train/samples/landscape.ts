import type { Picture } from './photos.ts';
import type { Random } from './random.ts';
import { createRandom } from './random.ts';

type Colour = readonly [number, number, number];

/** Draws a landscape with a brick house: golden images are generated, so no photographer's licence applies. */
export function drawLandscape(seed: number, width = 480, height = 320): Picture {
  const random = createRandom(seed);
  const clouds = createNoise(random);
  const rocks = createNoise(random);
  const grass = createNoise(random);
  const pixels = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const x = column / height;
      const y = row / height;
      const ridge = 0.42 - 0.24 * sumOctaves(rocks, x * 2, 7, 5);
      const meadow = 0.6 + 0.02 * Math.sin(x * 5);
      let colour = paintHouse(x - 0.85, y - 0.45);
      if (!colour && y > meadow) colour = shade([96, 128, 52], 0.4 + 1.1 * sumOctaves(grass, (x * 30) / y, y * 60, 3));
      if (!colour && y > ridge) colour = shade([118, 112, 108], 0.4 + 1.1 * sumOctaves(rocks, x * 9, y * 14, 5));
      colour ??= mix([92, 140, 205], [238, 240, 242], sumOctaves(clouds, x * 3, y * 6, 5) ** 2 + y * 0.7);
      pixels.set(colour, (row * width + column) * 3);
    }
  }
  return { pixels, width, height };
}

/** Paints the house in its own coordinates, 0…0.4 wide and 0…0.3 high; undefined beside it. */
function paintHouse(x: number, y: number): Colour | undefined {
  const isRoof = y >= -0.16 && y < 0 && Math.abs(x - 0.2) < 0.24 + y * 1.25;
  if (isRoof) return Math.floor(y * 70) % 2 === 0 ? [84, 44, 40] : [112, 60, 50];
  if (x < 0 || x > 0.4 || y < 0 || y > 0.3) return undefined;
  const window = [(x - 0.05) % 0.12, y - 0.07] as const;
  if (window[0] > 0 && window[0] < 0.07 && window[1] > 0 && window[1] < 0.09) {
    const isFrame = Math.abs(window[0] - 0.035) > 0.029 || Math.abs(window[0] - 0.035) < 0.004 || window[1] > 0.082;
    return isFrame ? [236, 232, 220] : [38, 48, 62];
  }
  const course = Math.floor(y / 0.015);
  const isMortar = y % 0.015 < 0.003 || (x + (course % 2) * 0.02) % 0.04 < 0.003;
  return isMortar ? [196, 186, 172] : shade([158, 78, 58], 0.85 + 0.1 * ((course * 7 + Math.floor(x / 0.04) * 3) % 4));
}

/** Builds value noise of period 256, interpolated between integers, 0…1. */
function createNoise(random: Random): (x: number, y: number) => number {
  const lattice = Float32Array.from({ length: 256 * 256 }, random);
  const at = (x: number, y: number) => lattice[(y & 255) * 256 + (x & 255)] ?? 0;
  return (x, y) => {
    const [left, top] = [Math.floor(x), Math.floor(y)];
    const [right, down] = [smooth(x - left), smooth(y - top)];
    const upper = at(left, top) * (1 - right) + at(left + 1, top) * right;
    const lower = at(left, top + 1) * (1 - right) + at(left + 1, top + 1) * right;
    return upper * (1 - down) + lower * down;
  };
}

/** Sums octaves of noise, each twice as fine and half as strong, 0…1. */
function sumOctaves(noise: (x: number, y: number) => number, x: number, y: number, octaves: number): number {
  let sum = 0;
  for (let octave = 0; octave < octaves; octave += 1) {
    sum += noise(x * 2 ** octave, y * 2 ** octave) / 2 ** (octave + 1);
  }
  return sum;
}

function smooth(share: number): number {
  return share * share * (3 - 2 * share);
}

function shade(colour: Colour, light: number): Colour {
  return mix([0, 0, 0], colour, light);
}

function mix(from: Colour, to: Colour, share: number): Colour {
  const blend = (a: number, b: number) => Math.min(255, Math.max(0, Math.round(a + (b - a) * share)));
  return [blend(from[0], to[0]), blend(from[1], to[1]), blend(from[2], to[2])];
}
