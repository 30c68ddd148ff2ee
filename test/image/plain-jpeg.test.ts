import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPlainJpeg } from '../../src/image/plain-jpeg.ts';
import { drawNoise, drawPlain, red } from './fixtures.ts';

const picture = drawNoise(48, 20);
const coded = { width: 48, height: 20 };

/** A segment of its own behind the start of the image. */
function insertSegment(jpeg: Buffer, marker: number, body: Buffer): Buffer {
  const header = Buffer.of(0xff, marker, 0, 0);
  header.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), header, body, jpeg.subarray(2)]);
}

/** An EXIF block in big-endian order whose directory has one entry. */
function toExif(tag: number, type: number, count: number, value: number): Buffer {
  const tiff = Buffer.from('4d4d002a00000008' + '0001' + '000000000000000000000000' + '00000000', 'hex');
  tiff.writeUInt16BE(tag, 10);
  tiff.writeUInt16BE(type, 12);
  tiff.writeUInt32BE(count, 14);
  tiff.writeUInt16BE(value, 18);
  return Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff]);
}

async function encode(): Promise<Buffer> {
  return picture.clone().jpeg().toBuffer();
}

test('what_programs_write_by_default_is_plain', async () => {
  assert.deepEqual(readPlainJpeg(await encode()), { coded, orientation: 1 });
  const grey = await picture.clone().greyscale().jpeg().toBuffer();
  assert.deepEqual(readPlainJpeg(grey), { coded, orientation: 1 });
  const fine = await picture.clone().jpeg({ chromaSubsampling: '4:4:4', optimiseCoding: true }).toBuffer();
  assert.deepEqual(readPlainJpeg(fine), { coded, orientation: 1 });
  const standard = await picture.clone().withIccProfile('srgb').jpeg().toBuffer();
  assert.deepEqual(readPlainJpeg(standard), { coded, orientation: 1 });
});

test('the_orientation_is_that_of_EXIF_in_either_byte_order', async () => {
  for (let orientation = 1; orientation <= 8; orientation += 1) {
    const bytes = await picture.clone().withMetadata({ orientation }).jpeg().toBuffer();
    assert.deepEqual(readPlainJpeg(bytes), { coded, orientation });
    const big = insertSegment(await encode(), 0xe1, toExif(0x0112, 3, 1, orientation));
    assert.deepEqual(readPlainJpeg(big), { coded, orientation });
  }
  const without = insertSegment(await encode(), 0xe1, toExif(0x010f, 3, 1, 6));
  assert.deepEqual(readPlainJpeg(without), { coded, orientation: 1 });
});

test('a_view_into_a_larger_buffer_is_read_from_where_it_begins', async () => {
  const bytes = await encode();
  const larger = new Uint8Array(bytes.length + 20);
  larger.set(bytes, 13);
  assert.deepEqual(readPlainJpeg(larger.subarray(13, 13 + bytes.length)), { coded, orientation: 1 });
});

test('other_ways_of_coding_are_not_plain', async () => {
  const bytes = await encode();
  const frame = bytes.indexOf(Buffer.of(0xff, 0xc0));
  const scan = bytes.indexOf(Buffer.of(0xff, 0xda));
  const forge = (at: number, value: number): Buffer => {
    const forged = Buffer.from(bytes);
    forged[at] = value;
    return forged;
  };
  const others = {
    progressive: await picture.clone().jpeg({ progressive: true }).toBuffer(),
    cmyk: await drawPlain(red).toColourspace('cmyk').jpeg().toBuffer(),
    arithmetic: forge(frame + 1, 0xc9),
    lossless: forge(frame + 1, 0xc3),
    'of 12 bits': forge(frame + 4, 12),
    'of no height': Buffer.concat([bytes.subarray(0, frame + 5), Buffer.of(0, 0), bytes.subarray(frame + 7)]),
    'of two components': forge(frame + 9, 2),
    'of a scan for each component': forge(scan + 4, 1),
    'of two frames': insertSegment(bytes, 0xc0, bytes.subarray(frame + 4, frame + 2 + bytes.readUInt16BE(frame + 2))),
    'with a number of lines': insertSegment(bytes, 0xdc, Buffer.of(0, 20)),
    'of a part of the spectrum': forge(scan + 12, 0),
    'of JFIF 2': insertSegment(bytes, 0xe0, Buffer.from('4a46494600020100000100010000', 'hex')),
    'of an unknown transform': insertSegment(bytes, 0xee, Buffer.from('41646f626500640000000002', 'hex')),
  };
  for (const [kind, other] of Object.entries(others)) assert.equal(readPlainJpeg(other), undefined, kind);
});

test('other_colours_than_sRGB_are_not_plain', async () => {
  const wide = await picture.clone().withIccProfile('p3').jpeg().toBuffer();
  assert.equal(readPlainJpeg(wide), undefined);
  const inParts = insertSegment(
    await encode(),
    0xe2,
    Buffer.from('ICC_PROFILE\0\x01\x02 sRGB IEC61966 RGB XYZ ', 'latin1'),
  );
  assert.equal(readPlainJpeg(inParts), undefined);
  const onGrey = await picture.clone().greyscale().jpeg().toBuffer();
  const profile = Buffer.from('ICC_PROFILE\0\x01\x01 sRGB IEC61966 RGB XYZ ', 'latin1');
  assert.equal(readPlainJpeg(insertSegment(onGrey, 0xe2, profile)), undefined);
});

test('EXIF_that_is_damaged_or_says_what_makes_no_sense_is_not_plain', async () => {
  const bytes = await encode();
  const good = toExif(0x0112, 3, 1, 6);
  const blocks = {
    'an orientation of 0': toExif(0x0112, 3, 1, 0),
    'an orientation of 9': toExif(0x0112, 3, 1, 9),
    'an orientation as a long number': toExif(0x0112, 4, 1, 6),
    'two orientations': toExif(0x0112, 3, 2, 6),
    'a directory beyond the end': Buffer.concat([good.subarray(0, 10), Buffer.of(0, 0, 0xff, 0), good.subarray(14)]),
    'more entries than there is room for': Buffer.concat([good.subarray(0, 15), Buffer.of(9), good.subarray(16)]),
    'an unknown byte order': Buffer.concat([good.subarray(0, 6), Buffer.from('XX'), good.subarray(8)]),
    'another magic number': Buffer.concat([good.subarray(0, 9), Buffer.of(43), good.subarray(10)]),
    'nothing but its name': good.subarray(0, 6),
  };
  for (const [kind, block] of Object.entries(blocks)) {
    assert.equal(readPlainJpeg(insertSegment(bytes, 0xe1, block)), undefined, kind);
  }
  assert.equal(readPlainJpeg(insertSegment(insertSegment(bytes, 0xe1, good), 0xe1, good)), undefined, 'two blocks');
});

test('a_damaged_header_or_a_picture_without_an_end_is_not_plain', async () => {
  const bytes = await picture.clone().withMetadata({ orientation: 6 }).jpeg().toBuffer();
  const scan = bytes.indexOf(Buffer.of(0xff, 0xda));
  const table = bytes.indexOf(Buffer.of(0xff, 0xc4));
  const stray = Buffer.concat([bytes.subarray(0, table), Buffer.from('stray'), bytes.subarray(table)]);
  assert.equal(readPlainJpeg(stray), undefined, 'stray bytes');
  for (let length = 0; length < bytes.length; length += 1) {
    assert.equal(readPlainJpeg(bytes.subarray(0, length)), undefined, `cut to ${String(length)}`);
  }
  const preview = insertSegment(bytes.subarray(0, scan + 40), 0xe5, Buffer.of(0xff, 0xd9));
  assert.equal(readPlainJpeg(preview), undefined, 'only a preview has an end');
});
