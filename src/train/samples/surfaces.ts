import type { Size } from '../../image/types.ts';
import type { Picture } from './photos.ts';
import type { Random } from './random.ts';
import { drawBetween, drawLogBetween } from './random.ts';

/** Draws a plain wall: soft shading with a fine, sharp grain. */
export function drawWall(random: Random, { width, height }: Size): Picture {
  const grain = drawLogBetween(random, 2, 9);
  const wall = drawShading(random, { width, height }, drawBetween(random, 90, 225), drawBetween(random, 8, 40));
  return mapPixels(wall, (value, draw) => value + grain * draw, random);
}

/** Draws a blank picture: a covered lens, a burnt-out flash, an empty sheet. */
export function drawBlank(random: Random, { width, height }: Size): Picture {
  const kind = random();
  const level = kind < 0.35 ? drawBetween(random, 0, 22) : kind < 0.6 ? drawBetween(random, 238, 255) : random() * 255;
  const nothing = drawShading(random, { width, height }, level, random() < 0.5 ? 0 : drawBetween(random, 0, 14));
  const noise = random() < 0.6 ? drawLogBetween(random, 0.3, 6) : 0;
  return mapPixels(nothing, (value, draw) => value + noise * draw, random);
}

/** Draws a colour gradient over the frame, of `depth` at most. */
function drawShading(random: Random, { width, height }: Size, level: number, depth: number): Picture {
  const tint = [0, 1, 2].map(() => drawBetween(random, -18, 18) * (level > 10 && level < 245 ? 1 : 0.15));
  const [angle, bend] = [random() * 2 * Math.PI, drawBetween(random, -1, 1)];
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const [across, down] = [x / width - 0.5, y / height - 0.5];
      const slope = Math.cos(angle) * across + Math.sin(angle) * down + bend * (across ** 2 + down ** 2);
      for (const [channel, shift] of tint.entries()) {
        pixels[(y * width + x) * 3 + channel] = clamp(level + shift + depth * slope);
      }
    }
  }
  return { pixels, width, height };
}

function mapPixels(picture: Picture, to: (value: number, draw: number) => number, random: Random): Picture {
  // The sum of three uniform draws approximates a normal one.
  const pixels = picture.pixels.map((value) => clamp(to(value, 2 * (random() + random() + random() - 1.5))));
  return { ...picture, pixels };
}

function clamp(value: number): number {
  return Math.min(255, Math.max(0, Math.round(value)));
}
