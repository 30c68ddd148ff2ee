import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { decodeImage } from '../../src/image/decode.ts';
import { toAdobeRgb, toAdobeRgbChunk } from './adobe-rgb.ts';
import {
  assertColour,
  assertMiddle,
  black,
  blue,
  type Colour,
  drawNoise,
  drawPlain,
  drawQuarters,
  green,
  limits,
  pixelAt,
  red,
  resizeModes,
  square,
  toChunk,
  toSmallPng,
  white,
} from './fixtures.ts';

test('every_format_gives_the_colour_that_went_in', async () => {
  const colour: Colour = [200, 60, 30];
  const picture = drawPlain(colour, 64, 48);
  const uploads = {
    jpeg: await picture.clone().jpeg({ quality: 95 }).toBuffer(),
    progressive: await picture.clone().jpeg({ quality: 95, progressive: true }).toBuffer(),
    png: await picture.clone().png().toBuffer(),
    interlaced: await picture.clone().png({ progressive: true }).toBuffer(),
    palette: await picture.clone().png({ palette: true }).toBuffer(),
    lossy: await picture.clone().webp({ quality: 95 }).toBuffer(),
    lossless: await picture.clone().webp({ lossless: true }).toBuffer(),
    gif: await picture.clone().gif().toBuffer(),
    avif: await picture.clone().avif({ quality: 90 }).toBuffer(),
    strips: await picture.clone().tiff({ compression: 'lzw' }).toBuffer(),
    tiles: await picture.clone().tiff({ compression: 'deflate', tile: true, tileWidth: 16, tileHeight: 16 }).toBuffer(),
    jpegInTiff: await picture.clone().tiff({ compression: 'jpeg', quality: 95 }).toBuffer(),
  };
  for (const [kind, bytes] of Object.entries(uploads)) {
    assertMiddle(await decodeImage(bytes, square, limits), colour, 4, kind);
  }
});

test('grey_becomes_three_equal_channels', async () => {
  const picture = drawPlain([128, 128, 128]);
  const uploads = {
    jpeg: await picture.clone().toColourspace('b-w').jpeg().toBuffer(),
    png: await picture.clone().toColourspace('b-w').png().toBuffer(),
    png16: await picture.clone().toColourspace('grey16').png().toBuffer(),
    tiff: await picture.clone().toColourspace('b-w').tiff().toBuffer(),
    tiff16: await picture.clone().toColourspace('grey16').tiff().toBuffer(),
    bits: await drawPlain(white).toColourspace('b-w').tiff({ bitdepth: 1, compression: 'ccittfax4' }).toBuffer(),
  };
  for (const [kind, bytes] of Object.entries(uploads)) {
    assertMiddle(await decodeImage(bytes, square, limits), kind === 'bits' ? white : [128, 128, 128], 2, kind);
  }
});

test('16_bits_become_8', async () => {
  const picture = drawPlain([200, 60, 30]).toColourspace('rgb16');
  assertMiddle(await decodeImage(await picture.clone().png().toBuffer(), square, limits), [200, 60, 30], 1, 'png');
  assertMiddle(await decodeImage(await picture.clone().tiff().toBuffer(), square, limits), [200, 60, 30], 1, 'tiff');
  const avif = await drawPlain([200, 60, 30]).avif({ bitdepth: 10, quality: 90 }).toBuffer();
  assertMiddle(await decodeImage(avif, square, limits), [200, 60, 30], 4, 'avif');
});

test('alpha_is_laid_over_white', async () => {
  const background = { r: 255, g: 0, b: 0, alpha: 0.5 };
  const picture = sharp({ create: { width: 32, height: 32, channels: 4, background } });
  const uploads = {
    png: await picture.clone().png().toBuffer(),
    png16: await picture.clone().toColourspace('rgb16').png().toBuffer(),
    webp: await picture.clone().webp({ lossless: true }).toBuffer(),
    avif: await picture.clone().avif({ quality: 90 }).toBuffer(),
    tiff: await picture.clone().tiff({ compression: 'lzw' }).toBuffer(),
  };
  for (const [kind, bytes] of Object.entries(uploads)) {
    assertMiddle(await decodeImage(bytes, square, limits), [255, 127, 127], 4, kind);
  }
  const clear = sharp({ create: { width: 32, height: 32, channels: 4, background: { ...background, alpha: 0 } } });
  assertMiddle(await decodeImage(await clear.clone().gif().toBuffer(), square, limits), white, 0, 'gif');
  const grey = await clear.clone().toColourspace('b-w').png().toBuffer();
  assertMiddle(await decodeImage(grey, square, limits), white, 0, 'grey');
});

test('CMYK_becomes_sRGB_with_and_without_a_profile', async () => {
  const colour: Colour = [150, 110, 90];
  const picture = drawPlain(colour).toColourspace('cmyk');
  const uploads = {
    jpeg: await picture.clone().jpeg({ quality: 95 }).toBuffer(),
    jpegProfile: await picture.clone().withIccProfile('cmyk').jpeg({ quality: 95 }).toBuffer(),
    tiff: await picture.clone().tiff().toBuffer(),
    tiffProfile: await picture.clone().withIccProfile('cmyk').tiff().toBuffer(),
  };
  for (const [kind, bytes] of Object.entries(uploads)) {
    const { space, hasProfile } = await sharp(bytes).metadata();
    assert.deepEqual([space, hasProfile], ['cmyk', kind.endsWith('Profile')], kind);
    // There and back through the small space of a press is not exact; inverted ink would be 60 and more away.
    assertMiddle(await decodeImage(bytes, square, limits), colour, 20, kind);
  }
});

test('colours_of_a_wider_space_are_converted_in_8_and_in_16_bits', async () => {
  const colour: Colour = [200, 60, 30];
  const picture = drawPlain(colour).withIccProfile('p3');
  const uploads = {
    jpeg: await picture.clone().jpeg({ quality: 98 }).toBuffer(),
    png: await picture.clone().png().toBuffer(),
    png16: await picture.clone().toColourspace('rgb16').png().toBuffer(),
    tiff16: await picture.clone().toColourspace('rgb16').tiff().toBuffer(),
    webp: await picture.clone().webp({ lossless: true }).toBuffer(),
  };
  for (const [kind, bytes] of Object.entries(uploads)) {
    const stored = await sharp(bytes, { ignoreIcc: true }).toColourspace('srgb').raw().toBuffer();
    assertColour([...stored.subarray(0, 3)], [185, 71, 43], 3, `${kind} as it is stored`);
    assertMiddle(await decodeImage(bytes, square, limits), colour, 3, kind);
  }
});

test('adobe_RGB_is_converted', async () => {
  const colour: Colour = [200, 60, 30];
  const bytes = toSmallPng(toAdobeRgb(colour), [toAdobeRgbChunk()]);
  assertMiddle(await decodeImage(bytes, square, limits), colour, 3);
});

test('a_profile_that_is_nonsense_is_passed_over', async () => {
  const profile = toChunk('iCCP', Buffer.from('x\0\0nonsense', 'latin1'));
  assertMiddle(await decodeImage(toSmallPng(green, [profile]), square, limits), green, 0);
});

test('the_eight_orientations_all_come_out_upright', async () => {
  const corners: Record<number, readonly Colour[]> = {
    1: [red, green, blue, white],
    2: [green, red, white, blue],
    3: [white, blue, green, red],
    4: [blue, white, red, green],
    5: [red, blue, green, white],
    6: [blue, red, white, green],
    7: [white, green, blue, red],
    8: [green, white, red, blue],
  };
  const picture = drawQuarters(64, 32);
  for (const [orientation, expected] of Object.entries(corners)) {
    const tagged = picture.clone().withMetadata({ orientation: Number(orientation) });
    const uploads = {
      jpeg: await tagged.clone().jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer(),
      png: await tagged.clone().png().toBuffer(),
      webp: await tagged.clone().webp({ lossless: true }).toBuffer(),
      tiff: await tagged.clone().tiff().toBuffer(),
    };
    for (const [kind, bytes] of Object.entries(uploads)) {
      const raster = await decodeImage(bytes, square, limits);
      const found = [
        [8, 8],
        [24, 8],
        [8, 24],
        [24, 24],
      ].map(([x = 0, y = 0]) => pixelAt(raster, 32, x, y));
      for (const [corner, colour] of expected.entries()) {
        assertColour(found[corner] ?? [], colour, 6, `${kind} ${orientation}, corner ${String(corner)}`);
      }
    }
  }
});

test('the_first_frame_of_an_animation_is_decoded', async () => {
  const frames = await Promise.all([red, blue, green].map((colour) => drawPlain(colour).png().toBuffer()));
  const animation = sharp(frames, { join: { animated: true } });
  assertMiddle(await decodeImage(await animation.clone().gif().toBuffer(), square, limits), red, 0, 'gif');
  const webp = await animation.clone().webp({ lossless: true }).toBuffer();
  assertMiddle(await decodeImage(webp, square, limits), red, 0, 'webp');
});

test('an_AVIF_with_the_brand_of_a_sequence_is_decoded', async () => {
  const bytes = await drawPlain([200, 60, 30]).avif({ quality: 90 }).toBuffer();
  bytes.write('avis', 8, 'latin1');
  assertMiddle(await decodeImage(bytes, square, limits), [200, 60, 30], 4);
  assert.equal(bytes.toString('latin1', 8, 12), 'avis', 'the upload itself stays as it is');
});

test('cover_contain_and_stretch_give_what_plain_sharp_gives', async () => {
  const fits = { cover: 'cover', contain: 'contain', stretch: 'fill' } as const;
  for (const [width, height] of [
    [640, 480],
    [301, 977],
    [64, 48],
    [33, 400],
  ] as const) {
    const bytes = await drawNoise(width, height).jpeg().toBuffer();
    for (const resize of ['cover', 'contain', 'stretch'] as const) {
      const raster = await decodeImage(bytes, { width: 112, height: 96, resize }, limits);
      const plain = sharp(bytes).resize({ width: 112, height: 96, fit: fits[resize], background: '#000000' });
      assert.ok(
        Buffer.from(raster).equals(await plain.raw().toBuffer()),
        `${resize} of ${String(width)} × ${String(height)}`,
      );
    }
  }
});

test('contain_puts_black_around_the_picture', async () => {
  const bytes = await drawPlain(white, 64, 16).png().toBuffer();
  const raster = await decodeImage(bytes, { width: 32, height: 32, resize: 'contain' }, limits);
  assert.deepEqual(pixelAt(raster, 32, 16, 16), white);
  assert.deepEqual(pixelAt(raster, 32, 16, 4), black);
  assert.deepEqual(pixelAt(raster, 32, 16, 27), black);
});

test('the_smallest_picture_fills_the_raster', async () => {
  const bytes = await drawPlain(green, 1, 1).png().toBuffer();
  for (const resize of resizeModes) {
    const raster = await decodeImage(bytes, { width: 224, height: 112, resize }, limits);
    assert.equal(raster.length, 224 * 112 * 3);
    assertColour(pixelAt(raster, 224, 112, 56), green, 0, resize);
  }
});

test('many_pictures_at_a_time_do_not_mix', async () => {
  const colours = Array.from({ length: 24 }, (_, index): Colour => [index * 10, 255 - index * 10, index]);
  const uploads = await Promise.all(colours.map((colour) => drawPlain(colour, 200, 200).png().toBuffer()));
  const rasters = await Promise.all(uploads.map((bytes) => decodeImage(bytes, square, limits)));
  for (const [index, colour] of colours.entries()) assertMiddle(rasters[index] ?? new Uint8Array(), colour, 0);
});
