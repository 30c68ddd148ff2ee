import type { Size } from '../../image/types.ts';
import type { Picture } from './photos.ts';
import type { Random } from './random.ts';
import { drawBetween } from './random.ts';

/** Opacity, 0…1, at a place, given as shares of the frame across and down. */
export type Mask = (across: number, down: number) => number;

/** Draws a soft-edged ellipse that covers about `area` of the frame, at a random place. */
export function drawBlob(random: Random, area: number, softness: number): Mask {
  const ratio = drawBetween(random, 0.6, 1.7);
  const [wide, high] = [Math.sqrt((area * ratio) / Math.PI), Math.sqrt(area / ratio / Math.PI)];
  const place = (radius: number): number => drawBetween(random, Math.min(0.5, radius), Math.max(0.5, 1 - radius));
  const [x, y] = [place(wide), place(high)];
  const [waves, depth, phase] = [2 + Math.floor(random() * 4), drawBetween(random, 0, 0.2), random() * 7];
  return (across, down) => {
    const [right, low] = [(across - x) / wide, (down - y) / high];
    const edge = 1 + depth * Math.sin(waves * Math.atan2(low, right) + phase);
    return Math.min(1, Math.max(0, (edge - Math.hypot(right, low)) / softness + 0.5));
  };
}

/** Blends one picture over another of the same size. */
export function blend(over: Picture, under: Picture, mask: Mask): Picture {
  const { width, height } = over;
  const pixels = new Uint8Array(over.pixels.length);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const share = mask((x + 0.5) / width, (y + 0.5) / height);
      for (let at = (y * width + x) * 3, end = at + 3; at < end; at += 1) {
        pixels[at] = Math.round(share * (over.pixels[at] ?? 0) + (1 - share) * (under.pixels[at] ?? 0));
      }
    }
  }
  return { pixels, width, height };
}

/** Builds a picture of one colour. */
export function fill({ width, height }: Size, colour: readonly [number, number, number]): Picture {
  const pixels = new Uint8Array(width * height * 3);
  for (let at = 0; at < pixels.length; at += 1) pixels[at] = colour[(at % 3) as 0 | 1 | 2];
  return { pixels, width, height };
}

/** Measures detail: the mean difference of neighbours within the mask, 0…255. */
export function measureDetail({ pixels, width, height }: Picture, mask: Mask): number {
  let [sum, weight] = [0, 0];
  for (let y = 1; y < height; y += 2) {
    for (let x = 1; x < width; x += 2) {
      const share = mask(x / width, y / height);
      if (share === 0) continue;
      const at = (y * width + x) * 3 + 1;
      const here = pixels[at] ?? 0;
      sum += share * (Math.abs(here - (pixels[at - 3] ?? 0)) + Math.abs(here - (pixels[at - 3 * width] ?? 0)));
      weight += 2 * share;
    }
  }
  return sum / Math.max(1, weight);
}
