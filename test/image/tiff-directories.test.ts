import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeImage } from '../../src/image/decode.ts';
import { inspectImage, measureImage } from '../../src/image/header.ts';
import { tinyPage, toDirectory } from './containers.ts';
import { assertRejects, limits } from './fixtures.ts';
import {
  assertQuarters,
  drawPage,
  type Field,
  grey,
  type Page,
  quarters,
  rgb,
  shape,
  toCompressed,
  writeTiff,
} from './tiff-files.ts';
import { mask, thumbnail, withKind } from './tiff-kinds.ts';

test('the_picture_is_judged_not_the_smaller_copy_or_the_mask_that_comes_before_it', async () => {
  const main = drawPage(rgb, 64, 48);
  const old = {
    ...thumbnail,
    fields: [...thumbnail.fields.filter(({ tag }) => tag !== 254), { tag: 255, values: [2] }],
  };
  const files: Readonly<Record<string, readonly Page[]>> = {
    next: [thumbnail, main],
    last: [thumbnail, thumbnail, withKind(main, 2)],
    below: [{ ...thumbnail, below: [withKind(main, 0)] }],
    second: [{ ...thumbnail, below: [thumbnail, main] }],
    old: [old, main],
    mask: [mask, main],
    unmarked: [thumbnail, withKind(main, 1)],
    first: [{ ...main, below: [thumbnail] }, thumbnail],
  };
  for (const [name, pages] of Object.entries(files)) {
    for (const isBig of [false, true]) {
      const bytes = writeTiff(pages, isBig);
      const before = Buffer.from(bytes);
      assert.deepEqual(await inspectImage(bytes, limits), {
        format: 'tiff',
        width: 64,
        height: 48,
        bytes: bytes.length,
      });
      await assertQuarters(bytes, name);
      assert.ok(bytes.equals(before), 'the upload itself stays as it is');
    }
  }
});

test('limits_hold_for_the_picture_that_is_judged', async () => {
  const bytes = writeTiff([thumbnail, drawPage(rgb, 64, 48)]);
  await assertRejects(measureImage(bytes, { ...limits, maxPixels: 64 * 48 - 1 }), 'ERR_IMAGE_TOO_MANY_PIXELS');
  const costly = { ...limits, maxDecodeBytes: 10 * 2 ** 20 };
  await assertRejects(measureImage(bytes, costly), 'ERR_IMAGE_TOO_COSTLY');
});

test('what_calls_itself_a_smaller_copy_and_is_not_smaller_is_judged', async () => {
  const decoy = drawPage(rgb, 16, 12, [...quarters].reverse());
  await assertQuarters(writeTiff([withKind(drawPage(rgb, 64, 48), 1), decoy]), 'decoy');
});

test('a_copy_whose_picture_is_missing_or_damaged_is_not_judged_in_its_place', async () => {
  const bytes = writeTiff([thumbnail, drawPage(rgb)]);
  const cut = bytes.subarray(0, -8);
  await assertRejects(decodeImage(cut, shape, limits), 'ERR_IMAGE_CORRUPT', 'cut');
  const main = drawPage(rgb);
  const damaged = { ...main, blocks: [Buffer.alloc(40, 7)] };
  await assertRejects(decodeImage(writeTiff([thumbnail, damaged]), shape, limits), 'ERR_IMAGE_CORRUPT', 'damaged');
  const endless = writeTiff([{ ...thumbnail, below: [main] }]);
  const offset = endless.lastIndexOf(Buffer.from('4a01', 'hex')) + 8;
  endless.writeUInt32LE(0xffff_ff00, offset);
  await assertRejects(decodeImage(endless, shape, limits), 'ERR_IMAGE_CORRUPT', 'below');
});

/** A field of text. */
function toText(tag: number, text: string): Field {
  return { tag, type: 'ascii', values: [...Buffer.from(`${text}\0`, 'latin1')] };
}

test('camera_raw_inside_of_TIFF_is_refused_by_its_name', async () => {
  const raw = drawPage({ ...grey, photometric: 32_803 });
  const linear = drawPage({ ...rgb, photometric: 34_892 });
  const made = (maker: string): Page[] => [
    { ...thumbnail, fields: [...thumbnail.fields, toText(271, maker)], below: [raw] },
  ];
  const dng = { ...thumbnail, fields: [...thumbnail.fields, { tag: 50_706, values: [1, 4, 0, 0] }] };
  const files: Readonly<Record<string, Buffer>> = {
    DNG: writeTiff([dng]),
    NEF: writeTiff(made('NIKON CORPORATION')),
    ARW: writeTiff(made('SONY')),
    PEF: writeTiff(made('PENTAX             ')),
    TIFF: writeTiff(made('Nobody')),
    'TIFF ': writeTiff([drawPage(rgb), linear]),
    ' TIFF': writeTiff([drawPage(rgb), toCompressed(drawPage(grey), 34_713)]),
    CR2: Buffer.concat([Buffer.from('II*\0\x10\0\0\0CR\x02\0\0\0\0\0', 'latin1'), toDirectory(tinyPage, 0)]),
    IIQ: Buffer.concat([Buffer.from('II*\0\x10\0\0\0IIIITwaR', 'latin1'), toDirectory(tinyPage, 0)]),
  };
  for (const [name, bytes] of Object.entries(files)) {
    const { detail } = await assertRejects(inspectImage(bytes, limits), 'ERR_IMAGE_UNSUPPORTED', name);
    assert.equal(detail.split(' camera raw is not accepted: ask the client for the JPEG ')[0], name.trim());
  }
});
