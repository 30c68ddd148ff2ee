import { standardCurve, toStandard } from '../../image/colour/curves.ts';
import type { Picture } from './photos.ts';

/** A picture in linear light: float32 [height, width, 3], 0 black, 1 white. */
export interface LightField {
  readonly width: number;
  readonly height: number;
  readonly light: Float32Array;
}

const steps = 4096;

/** Linear light of sRGB values 0…255. */
const lightOf = Float32Array.from({ length: 256 }, (_, value) => standardCurve(value / 255));

const valueOf = Uint8Array.from({ length: steps + 1 }, (_, step) => Math.round(255 * toStandard(step / steps)));

/** Converts sRGB pixels to linear light. */
export function toLight({ pixels, width, height }: Picture): LightField {
  const light = new Float32Array(pixels.length);
  for (let at = 0; at < pixels.length; at += 1) light[at] = lightOf[pixels[at] ?? 0] ?? 0;
  return { width, height, light };
}

/** Converts linear light to sRGB pixels; values above white are clipped. */
export function toPicture({ light, width, height }: LightField): Picture {
  const pixels = new Uint8Array(light.length);
  for (let at = 0; at < light.length; at += 1) pixels[at] = toValue(light[at] ?? 0);
  return { pixels, width, height };
}

/** Converts one sRGB value to linear light, 0…1. */
export function toLightValue(value: number): number {
  return lightOf[value] ?? 0;
}

/** Converts linear light to one sRGB value, 0…255. */
export function toValue(light: number): number {
  return valueOf[light <= 0 ? 0 : light >= 1 ? steps : Math.round(light * steps)] ?? 0;
}

/** Computes luma (ITU-R BT.601), 0…255, of the pixel whose first value is at `at`. */
export function toLuma(pixels: Uint8Array, at: number): number {
  return 0.299 * (pixels[at] ?? 0) + 0.587 * (pixels[at + 1] ?? 0) + 0.114 * (pixels[at + 2] ?? 0);
}
