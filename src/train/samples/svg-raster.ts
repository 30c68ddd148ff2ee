import { Resvg } from '@resvg/resvg-js';
import type { Picture } from './photos.ts';

/**
 * Rasterises a drawing over white, without libvips: its list of open loaders is per process, so opening SVG for drawings
 * would open it for every image that `image/library` decodes.
 */
export function rasteriseSvg(svg: string): Picture {
  const drawn = new Resvg(svg, { background: 'white', font: { loadSystemFonts: false } }).render();
  const { width, height, pixels: rgba } = drawn;
  const pixels = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < pixels.length; from += 4, to += 3) {
    pixels[to] = rgba[from] ?? 0;
    pixels[to + 1] = rgba[from + 1] ?? 0;
    pixels[to + 2] = rgba[from + 2] ?? 0;
  }
  return { pixels, width, height };
}
