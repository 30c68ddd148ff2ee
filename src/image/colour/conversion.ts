import type { SampleConversion } from '../rendered-picture.ts';
import type { ColourSpace } from './colour-space.ts';
import { type Curve, toStandard } from './curves.ts';
import type { Matrix } from './primaries.ts';

/** Finer than a fifth of a step of 8 bits where sRGB is steepest. */
const steps = 16_384;
let storedOfLight: Uint8Array | undefined;

const identity: Matrix = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

/**
 * Creates the conversion of samples to sRGB, over white.
 * @param channels 3, or 4 with alpha
 */
export function createColourConversion(space: ColourSpace, channels: number): SampleConversion {
  const { curve, matrix = identity, toGain, highest } = space;
  const lightOf = toTable(curve, highest);
  storedOfLight ??= Uint8Array.from({ length: steps + 1 }, (_, step) => Math.round(255 * toStandard(step / steps)));
  const stored = storedOfLight;
  // Numbers take a quarter of the time of arrays.
  const [[redRed, redGreen, redBlue], [greenRed, greenGreen, greenBlue], [blueRed, blueGreen, blueBlue]] = matrix;
  const write = (light: number, alpha: number): number => {
    const shown = stored[Math.trunc(Math.min(1, Math.max(0, light)) * steps + 0.5)] ?? 0;
    return alpha === 1 ? shown : Math.round(255 + (shown - 255) * alpha);
  };
  return (samples, pixels) => {
    const opaque = samples instanceof Uint8Array ? 255 : 65_535;
    // A filter may overshoot the highest sample.
    const read = (at: number): number => lightOf[Math.min(samples[at] ?? 0, highest)] ?? 0;
    for (let from = 0, to = 0; to < pixels.length; from += channels, to += 3) {
      const red = read(from);
      const green = read(from + 1);
      const blue = read(from + 2);
      const gain = toGain?.(red, green, blue) ?? 1;
      const alpha = channels === 4 ? (samples[from + 3] ?? 0) / opaque : 1;
      pixels[to] = write((redRed * red + redGreen * green + redBlue * blue) * gain, alpha);
      pixels[to + 1] = write((greenRed * red + greenGreen * green + greenBlue * blue) * gain, alpha);
      pixels[to + 2] = write((blueRed * red + blueGreen * green + blueBlue * blue) * gain, alpha);
    }
  };
}

function toTable(curve: Curve, highest: number): Float32Array {
  const table = new Float32Array(highest + 1);
  for (let sample = 0; sample <= highest; sample += 1) table[sample] = curve(sample / highest);
  return table;
}
