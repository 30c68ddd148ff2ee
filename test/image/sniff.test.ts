import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sniffFormat } from '../../src/image/sniff.ts';
import { drawPlain, red } from './fixtures.ts';

function toFtyp(...brands: string[]): Buffer {
  const [major = '', ...compatible] = brands;
  const box = Buffer.from(`\0\0\0\0ftyp${major}\0\0\0\0${compatible.join('')}`, 'latin1');
  box.writeUInt32BE(box.length, 0);
  return Buffer.concat([box, Buffer.from('\0\0\0\x08free', 'latin1')]);
}

test('every_accepted_format_is_known_by_its_bytes', async () => {
  const picture = drawPlain(red);
  assert.equal(sniffFormat(await picture.clone().jpeg().toBuffer()), 'jpeg');
  assert.equal(sniffFormat(await picture.clone().png().toBuffer()), 'png');
  assert.equal(sniffFormat(await picture.clone().webp().toBuffer()), 'webp');
  assert.equal(sniffFormat(await picture.clone().gif().toBuffer()), 'gif');
  assert.equal(sniffFormat(await picture.clone().avif().toBuffer()), 'avif');
  assert.equal(sniffFormat(await picture.clone().tiff().toBuffer()), 'tiff');
  assert.equal(sniffFormat(await picture.clone().tiff({ bigtiff: true }).toBuffer()), 'tiff');
});

test('both_byte_orders_of_TIFF_and_both_versions_of_GIF_are_known', () => {
  for (const magic of ['II*\0', 'MM\0*', 'II+\0', 'MM\0+']) {
    assert.equal(sniffFormat(Buffer.from(`${magic}\x08\0\0\0`, 'latin1')), 'tiff', magic);
  }
  assert.equal(sniffFormat(Buffer.from('GIF87a')), 'gif');
  assert.equal(sniffFormat(Buffer.from('GIF89a')), 'gif');
});

test('AVIF_is_known_by_its_major_brand_and_by_a_compatible_one', () => {
  assert.equal(sniffFormat(toFtyp('avif', 'mif1', 'miaf')), 'avif');
  assert.equal(sniffFormat(toFtyp('avis', 'msf1')), 'avif');
  assert.equal(sniffFormat(toFtyp('mif1', 'miaf', 'avif')), 'avif');
});

test('HEIC_is_known_by_any_of_its_brands_other_media_of_the_same_container_are_refused', () => {
  assert.equal(sniffFormat(toFtyp('heic', 'mif1', 'heic')), 'heic');
  assert.equal(sniffFormat(toFtyp('mif1', 'heic', 'avif')), 'heic');
  assert.equal(sniffFormat(toFtyp('mif1', 'miaf')), undefined);
  assert.equal(sniffFormat(toFtyp('isom', 'mp42')), undefined);
});

test('a_brand_behind_the_end_of_its_box_does_not_count', () => {
  const bytes = toFtyp('mif1', 'miaf', 'avif');
  bytes.writeUInt32BE(20, 0);
  assert.equal(sniffFormat(bytes), undefined);
});

test('what_only_looks_like_a_picture_to_others_is_refused', () => {
  const refused = [
    '<svg xmlns="http://www.w3.org/2000/svg"/>',
    '<?xml version="1.0"?><svg/>',
    '%PDF-1.7\n',
    '%!PS-Adobe-3.0 EPSF-3.0\n',
    'BM\x36\0\0\0\0\0\0\0',
    '8BPS\0\x01',
    'P6\n1 1\n255\n',
    '#define im_width 1\n',
    '\0\0\0\x0cjP  \r\n\x87\n',
    '\0\0\x01\0\x01\0',
    'RIFF\x04\0\0\0WAVE',
    'GIF88a',
    '\r\n\xff\xd8\xff\xe0',
    'hello',
    '\0'.repeat(64),
  ];
  for (const text of refused) assert.equal(sniffFormat(Buffer.from(text, 'latin1')), undefined, text);
});

test('a_magic_that_is_cut_off_is_refused', () => {
  for (const magic of [
    '\xff\xd8\xff',
    '\x89PNG\r\n\x1a\n',
    'GIF89a',
    'RIFF\0\0\0\0WEBP',
    'II*\0',
    '\0\0\0\x14ftypavif',
  ]) {
    const bytes = Buffer.from(magic, 'latin1');
    assert.notEqual(sniffFormat(bytes), undefined, magic);
    for (let length = 0; length < bytes.length; length += 1) {
      assert.equal(sniffFormat(bytes.subarray(0, length)), undefined, `${magic} cut to ${String(length)}`);
    }
  }
});
