import { type Curve, toStandard } from './curves.ts';
import type { ColourSpace } from './colour-space.ts';
import { transform, type Triple } from './primaries.ts';

/** Finer than a fifth of a step of 8 bits where sRGB is steepest. */
const steps = 16_384;
let storedOfLight: Uint8Array | undefined;

/**
 * Converts the pixels of a picture to sRGB, over white.
 * @param samples - uint8 or uint16 [pixels, channels], `channels` 3, or 4 with alpha
 * @returns uint8 [pixels, 3]
 */
export function toStandardPixels(samples: Uint8Array | Uint16Array, channels: number, space: ColourSpace): Uint8Array {
  const { matrix, toGain, highest } = space;
  const lightOf = toTable(space.curve, highest);
  storedOfLight ??= Uint8Array.from({ length: steps + 1 }, (_, step) => Math.round(255 * toStandard(step / steps)));
  const stored = storedOfLight;
  const opaque = samples instanceof Uint8Array ? 255 : 65_535;
  const pixels = new Uint8Array((samples.length / channels) * 3);
  // A filter may overshoot what is the highest sample.
  const read = (at: number): number => lightOf[Math.min(samples[at] ?? 0, highest)] ?? 0;
  const write = (light: number): number => stored[Math.round(Math.min(1, Math.max(0, light)) * steps)] ?? 0;
  for (let from = 0, to = 0; to < pixels.length; from += channels, to += 3) {
    let light: Triple = [read(from), read(from + 1), read(from + 2)];
    if (toGain) {
      const gain = toGain(light);
      light = [light[0] * gain, light[1] * gain, light[2] * gain];
    }
    if (matrix) light = transform(matrix, light);
    const alpha = channels === 4 ? (samples[from + 3] ?? 0) / opaque : 1;
    for (let channel = 0; channel < 3; channel += 1) {
      pixels[to + channel] = Math.round(255 + (write(light[channel] ?? 0) - 255) * alpha);
    }
  }
  return pixels;
}

function toTable(curve: Curve, highest: number): Float32Array {
  return Float32Array.from({ length: highest + 1 }, (_, sample) => curve(sample / highest));
}
