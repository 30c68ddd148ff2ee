import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspectImage, measureImage } from '../../src/image/header.ts';
import { assertRejects, type Colour, limits } from './fixtures.ts';
import {
  assertQuarters,
  drawPage,
  type Field,
  grey,
  type Kind,
  type Page,
  quarters,
  rgb,
  toCompressed,
  writeTiff,
} from './tiff-files.ts';
import { drawPlanes, drawSubsampled, toVideo, toYcbcr, ycbcr } from './tiff-kinds.ts';

/** The same colours, grey. */
const greys: readonly Colour[] = [30, 100, 170, 240].map((value): Colour => [value, value, value]);

test('the_colours_of_every_kind_of_RGB_palette_and_YCbCr_are_the_ones_that_went_in', async () => {
  const palette = [0, 1, 2].flatMap((channel) =>
    Array.from({ length: 16 }, (_, index) => (quarters[index]?.[channel] ?? 0) * 257),
  );
  const toIndex = (colour: Colour): number[] => [quarters.indexOf(colour)];
  const video: Field = { tag: 532, type: 'rational', values: [16, 235, 128, 240, 128, 240] };
  const pages: Readonly<Record<string, Page>> = {
    rgb: drawPage(rgb),
    rgb16: drawPage({ ...rgb, bits: 16, toSamples: (colour) => colour.map((value) => value * 257) }),
    planes: drawPlanes(rgb),
    palette: drawPage({ photometric: 3, bits: 4, toSamples: toIndex, more: [{ tag: 320, values: palette }] }),
    ycbcr: drawPage(ycbcr),
    ycbcrVideo: drawPage({ ...ycbcr, toSamples: toVideo, more: [...(ycbcr.more ?? []), video] }),
    ycbcrHalved: drawSubsampled(64, 48, false),
    ycbcrTiled: drawSubsampled(64, 48, true),
  };
  for (const [kind, page] of Object.entries(pages)) await assertQuarters(writeTiff([page]), kind, { tolerance: 4 });
  await assertQuarters(writeTiff([drawPage(rgb)], true), 'BigTIFF');
});

test('grey_of_every_depth_is_grey_whether_black_or_white_comes_first', async () => {
  const depths: readonly [bits: number, most: number][] = [
    [8, 255],
    [16, 65_535],
    [4, 15],
    [2, 3],
  ];
  for (const [bits, most] of depths) {
    for (const photometric of [0, 1]) {
      const shown = greys.map(([value]) => Math.round((value / 255) * most));
      const colours = shown.map((value): Colour => [(value * 255) / most, (value * 255) / most, (value * 255) / most]);
      const toSamples = ([value]: Colour): number[] => {
        const code = Math.round((value / 255) * most);
        return [photometric === 0 ? most - code : code];
      };
      const bytes = writeTiff([drawPage({ photometric, bits, toSamples }, 64, 48, greys)]);
      await assertQuarters(bytes, `${String(bits)} bits, photometric ${String(photometric)}`, { colours });
    }
  }
});

test('lab_of_16_bits_is_converted', async () => {
  const lab: Kind = { photometric: 8, bits: 16, toSamples: ([value]) => [value * 257, 0, 0] };
  // L* of 50 and 80.
  const lights: readonly Colour[] = [128, 204, 128, 204].map((value): Colour => [value, value, value]);
  const colours = [119, 199, 119, 199].map((value): Colour => [value, value, value]);
  await assertQuarters(writeTiff([drawPage(lab, 64, 48, lights)]), 'Lab', { colours });
});

test('samples_beside_the_colours_that_are_not_alpha_leave_the_colours_as_they_are_stored', async () => {
  const near = (kind: Kind, samples: number[], more: Field[] = []): Page =>
    drawPage({ ...kind, toSamples: (colour) => [...kind.toSamples(colour), ...samples], more });
  const unspecified: Field = { tag: 338, values: [0] };
  for (const sample of [0, 7, 255]) {
    await assertQuarters(writeTiff([near(rgb, [sample], [unspecified])]), `unspecified ${String(sample)}`);
    await assertQuarters(writeTiff([near(rgb, [sample])]), `undeclared ${String(sample)}`);
  }
  await assertQuarters(writeTiff([near(rgb, [0, 0], [{ tag: 338, values: [0, 0] }])]), 'two of them');
  const deep: Kind = { ...rgb, bits: 16, toSamples: (colour) => colour.map((value) => value * 257) };
  await assertQuarters(writeTiff([near(deep, [0], [unspecified])]), '16 bits');
  const bytes = writeTiff([
    drawPage({ ...grey, toSamples: ([value]) => [value, 0], more: [unspecified] }, 64, 48, greys),
  ]);
  await assertQuarters(bytes, 'grey', { colours: greys });
});

test('samples_that_are_not_alpha_cost_the_memory_of_the_whole_picture', async () => {
  const plain = await measureImage(writeTiff([drawPage(rgb, 512, 512)]), limits);
  const more = { ...rgb, toSamples: (colour: Colour) => [...colour, 0] };
  const { decodeBytes } = await measureImage(writeTiff([drawPage(more, 512, 512)]), limits);
  assert.ok(decodeBytes - plain.decodeBytes >= 512 * 512 * 3);
});

test('a_strip_of_planes_or_of_YCbCr_costs_the_copies_that_are_made_of_it', async () => {
  const price = async (page: Page): Promise<number> => (await measureImage(writeTiff([page]), limits)).decodeBytes;
  const plain = await price(drawPage(rgb, 512, 512));
  assert.ok((await price(drawPage(ycbcr, 512, 512))) - plain >= 512 * 512 * 3);
  const planes = { ...rgb, more: [{ tag: 284, values: [2] }] };
  assert.ok((await price(drawPage(planes, 512, 512))) - plain >= 512 * 512);
});

test('alpha_is_laid_over_white_whether_the_colours_are_multiplied_by_it_or_not', async () => {
  const toHalf = (colour: Colour): Colour => [
    Math.round((colour[0] + 255) / 2),
    Math.round((colour[1] + 255) / 2),
    Math.round((colour[2] + 255) / 2),
  ];
  const straight = { ...rgb, toSamples: (colour: Colour) => [...colour, 128], more: [{ tag: 338, values: [2] }] };
  const toMultiplied = (colour: Colour) => [...colour.map((value) => Math.round((value * 128) / 255)), 128];
  const multiplied = { ...rgb, toSamples: toMultiplied, more: [{ tag: 338, values: [1] }] };
  for (const kind of [straight, multiplied]) {
    await assertQuarters(writeTiff([drawPage(kind)]), String(kind.more[0]?.values), { colours: quarters.map(toHalf) });
  }
});

test('kinds_of_samples_that_would_become_wrong_colours_are_refused_and_the_answer_says_what_to_send', async () => {
  const real: Kind = { ...grey, bits: 32, format: 3, toSamples: ([value]) => [value / 255] };
  const kinds: Readonly<Record<string, Page>> = {
    'floating point': drawPage(real),
    'of 32 bits': drawPage({ ...grey, bits: 32, toSamples: ([value]) => [value * 2 ** 24] }),
    signed: drawPage({ ...grey, format: 2, toSamples: ([value]) => [value - 128] }),
    'of 24 bits': drawPage({ ...rgb, bits: 24, toSamples: (colour) => colour.map((value) => value * 65_793) }),
    'of 4 bits': drawPage({ ...rgb, bits: 4, toSamples: (colour) => colour.map((value) => value >> 4) }),
    'colour space 32844': drawPage({ ...grey, photometric: 32_844, bits: 16 }),
    'compression 50000': toCompressed(drawPage(rgb), 50_000),
    'colour space 4': drawPage({ photometric: 4, bits: 1, toSamples: () => [1] }),
    'other than CMYK': drawPage({
      photometric: 5,
      bits: 8,
      toSamples: () => [0, 0, 0, 0],
      more: [{ tag: 332, values: [2] }],
    }),
    'alpha beside': drawPage({
      ...rgb,
      toSamples: (colour) => [...colour, 9, 9],
      more: [{ tag: 338, values: [2, 0] }],
    }),
    '2 samples': drawPage({ ...rgb, toSamples: () => [1, 2] }),
    '6 samples': drawPage({ ...rgb, toSamples: (colour) => [...colour, ...colour] }),
    'three samples': drawPage({ ...ycbcr, toSamples: (colour) => [...toYcbcr(colour), 255] }),
    'Lab of 8 bits': drawPage({ photometric: 8, bits: 8, toSamples: () => [1, 2, 3] }),
    'Lab with': drawPage({
      photometric: 8,
      bits: 16,
      toSamples: () => [1, 2, 3, 4],
      more: [{ tag: 338, values: [2] }],
    }),
    'separate planes of other': drawPlanes(ycbcr),
    'tiles of separate planes': {
      ...drawPlanes({ ...rgb, more: [322, 323].map((tag) => ({ tag, values: [64] })) }),
      isTiled: true,
    },
  };
  for (const [words, page] of Object.entries(kinds)) {
    const { detail } = await assertRejects(inspectImage(writeTiff([page]), limits), 'ERR_IMAGE_CORRUPT', words);
    assert.match(detail, /^the TIFF image has .+: ask the client for RGB of 8 bits, or JPEG$/);
    assert.ok(detail.includes(words), detail);
  }
});
