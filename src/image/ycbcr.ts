import type { YcbcrFormula } from './header/tiff-samples.ts';
import type { SampleConversion } from './rendered-picture.ts';

/** Codes of a sample of 8 bits. */
const codes = 256;
const maxCode = 255;
/** Colour reaches from one side of no colour to the other. */
const colourRange = 127;

/** Creates the conversion of YCbCr to RGB (TIFF 6.0, section 21). */
export function createYcbcrConversion({ luminance, reference }: YcbcrFormula): SampleConversion {
  const [red = 0, green = 0, blue = 0] = luminance;
  const [black = 0, white = 0, noBlue = 0, fullBlue = 0, noRed = 0, fullRed = 0] = reference;
  const light = toTable(black, white, maxCode);
  const toRed = toTable(noRed, fullRed, colourRange * (2 - 2 * red));
  const toBlue = toTable(noBlue, fullBlue, colourRange * (2 - 2 * blue));
  return (samples, pixels) => {
    // It rounds, and clips what is no colour.
    const rgb = new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, pixels.length);
    for (let at = 0; at < rgb.length; at += 3) {
      const y = light[samples[at] ?? 0] ?? 0;
      const b = y + (toBlue[samples[at + 1] ?? 0] ?? 0);
      const r = y + (toRed[samples[at + 2] ?? 0] ?? 0);
      rgb[at] = r;
      rgb[at + 1] = (y - blue * b - red * r) / green;
      rgb[at + 2] = b;
    }
  };
}

/** What each code stands for, 0…range from `low` to `high`. */
function toTable(low: number, high: number, range: number): Float32Array {
  return Float32Array.from({ length: codes }, (_, code) => ((code - low) * range) / (high - low || 1));
}
