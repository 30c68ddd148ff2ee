import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeImage } from '../../src/image/decode.ts';
import type { RasterShape } from '../../src/image/types.ts';
import { assertRejects, drawNoise, limits, toNoise } from './fixtures.ts';
import { writeJpeg } from './formats/jpeg-writer.ts';

const shape: RasterShape = { width: 64, height: 64, resize: 'stretch' };

async function encode(progressive: boolean): Promise<Buffer> {
  return drawNoise(200, 120).jpeg({ quality: 90, progressive }).toBuffer();
}

for (const progressive of [false, true]) {
  const kind = progressive ? 'a progressive JPEG' : 'a JPEG';

  test(`${kind} without an end marker is the same picture, whatever bytes follow its pixels`, async () => {
    const whole = await encode(progressive);
    const endless = whole.subarray(0, -2);
    const expected = await decodeImage(whole, shape, limits);
    const endings = {
      nothing: Buffer.alloc(0),
      'one byte': Buffer.of(0),
      zeros: Buffer.alloc(500),
      text: Buffer.from('uploaded in pieces '.repeat(20)),
      'half a marker': Buffer.of(0xff),
    };
    for (const [name, ending] of Object.entries(endings)) {
      const raster = await decodeImage(Buffer.concat([endless, ending]), shape, limits);
      const differences = raster.map((value, at) => Math.abs(value - (expected[at] ?? 0)));
      // One by TensorFlow's decoder where that is there, the other by sharp.
      assert.ok(Math.max(...differences) <= 6, name);
    }
  });

  test(`${kind} that was cut within its pixels is refused, with and without an end marker`, async () => {
    const whole = await encode(progressive);
    const scan = whole.lastIndexOf(Buffer.of(0xff, 0xda));
    for (const kept of [0.05, 0.5, 0.9]) {
      const cut = whole.subarray(0, scan + 14 + Math.floor((whole.length - scan - 14) * kept));
      await assertRejects(decodeImage(cut, shape, limits), 'ERR_IMAGE_CORRUPT', `${String(kept)} of its last scan`);
      const ended = Buffer.concat([cut, Buffer.of(0xff, 0xd9)]);
      await assertRejects(decodeImage(ended, shape, limits), 'ERR_IMAGE_CORRUPT', `${String(kept)}, ended`);
    }
  });
}

test('a_lossless_JPEG_that_was_cut_within_its_pixels_is_refused', async () => {
  const whole = writeJpeg({ coding: 0xc3, components: [1], toSamples: (x, y) => [toNoise(x, y)[0]] });
  await decodeImage(whole.subarray(0, -2), shape, limits);
  for (const kept of [0.3, 0.9]) {
    const cut = whole.subarray(0, Math.floor(whole.length * kept));
    await assertRejects(decodeImage(cut, shape, limits), 'ERR_IMAGE_CORRUPT', String(kept));
  }
});

test('without_an_end_marker_a_warning_about_the_header_is_not_passed_over_as_truncation_could_hide_behind_it', async () => {
  const whole = await encode(false);
  const table = whole.indexOf(Buffer.of(0xff, 0xc4));
  const stray = Buffer.concat([whole.subarray(0, table), Buffer.from('stray'), whole.subarray(table)]);
  assert.ok(await decodeImage(stray, shape, limits));
  await assertRejects(decodeImage(stray.subarray(0, -2), shape, limits), 'ERR_IMAGE_CORRUPT');
});
