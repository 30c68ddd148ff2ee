import assert from 'node:assert/strict';
import test from 'node:test';
import { openPicture } from '../../src/image/library.ts';
import { drawDiagram, drawPage, drawScreen } from '../../src/train/samples/drawings.ts';
import { drawLandscape } from '../../src/train/samples/landscape.ts';
import { untouched } from '../../src/train/samples/plan.ts';
import { createRandom } from '../../src/train/samples/random.ts';
import { renderScene } from '../../src/train/samples/scenes.ts';
import { rasteriseSvg } from '../../src/train/samples/svg-raster.ts';

const toSvg = (body: string): string => `<svg xmlns="http://www.w3.org/2000/svg" width="3" height="2">${body}</svg>`;

test('an_svg_becomes_rgb_pixels_row_by_row_over_white', () => {
  const svg = toSvg('<rect width="1" height="2" fill="rgb(1,2,3)"/><rect x="1" y="1" width="1" height="1"/>');
  assert.deepEqual(rasteriseSvg(svg), {
    width: 3,
    height: 2,
    pixels: Uint8Array.of(...[1, 2, 3, 255, 255, 255, 255, 255, 255], ...[1, 2, 3, 0, 0, 0, 255, 255, 255]),
  });
});

test('what_is_half_transparent_is_blended_with_white', () => {
  const { pixels } = rasteriseSvg(toSvg('<rect width="3" height="2" fill-opacity="0.5"/>'));
  for (const value of pixels) assert.ok(Math.abs(value - 127.5) <= 1, String(value));
});

test('broken_svg_throws', () => {
  assert.throws(() => rasteriseSvg('<svg'), /SVG data parsing failed/);
});

for (const draw of [drawPage, drawScreen, drawDiagram]) {
  test(`${draw.name}_gives_the_same_pixels_for_the_same_seed_and_size`, () => {
    const size = { width: 211, height: 157 };
    const render = (seed: number) => rasteriseSvg(draw(createRandom(seed), size));
    const [first, again, other] = [render(3), render(3), render(4)];
    assert.deepEqual([first.width, first.height], [211, 157]);
    assert.deepEqual(again, first);
    assert.notDeepEqual(other.pixels, first.pixels);
  });
}

test('drawn_scenes_leave_the_svg_loader_closed', async () => {
  const svg = Buffer.from(toSvg(''));
  for (const scene of ['page', 'screen', 'diagram'] as const) {
    const { picture } = await renderScene(
      drawLandscape(1, 40, 30),
      { ...untouched, scene },
      { width: 40, height: 30 },
      1,
      createRandom(1),
    );
    assert.equal(picture.pixels.length, 40 * 30 * 3);
    await assert.rejects(
      openPicture(svg, { failOn: 'error', limitInputPixels: 100 }).metadata(),
      /unsupported image format/,
    );
  }
});
