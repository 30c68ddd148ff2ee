import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspectImage } from '../../src/image/header.ts';
import { assertRejects, limits } from './fixtures.ts';

/** The first bytes of an ISO base media file. */
function toMedia(...brands: readonly string[]): string {
  const [major = '', ...compatible] = brands;
  const bytes = 16 + 4 * compatible.length;
  return `\0\0\0${String.fromCharCode(bytes)}ftyp${major}\0\0\0\0${compatible.join('')}`;
}

/** The first bytes of files, in Latin-1, by format name. */
const files: readonly (readonly [name: string, ...beginnings: readonly string[]])[] = [
  ['HEIC', toMedia('heic', 'mif1', 'heic'), toMedia('mif1', 'heic', 'avif'), toMedia('hevc', 'msf1', 'heic')],
  ['HEIF', toMedia('mif1', 'miaf')],
  ['JPEG XL', '\xff\x0a\xfa\x1f', '\0\0\0\x0cJXL \r\n\x87\n'],
  ['JPEG 2000', '\0\0\0\x0cjP  \r\n\x87\n', '\xff\x4f\xff\x51\0'],
  ['CR3 camera raw', toMedia('crx ', 'crx ', 'isom')],
  ['RAF camera raw', 'FUJIFILMCCD-RAW 0201'],
  ['X3F camera raw', 'FOVb\0\0\x02\0'],
  ['MRW camera raw', '\0MRM\0\0'],
  ['CRW camera raw', 'II\x1a\0\0\0HEAPCCDR'],
  ['RW2 camera raw', 'IIU\0\x18\0\0\0'],
  ['ORF camera raw', 'IIRO\x08\0', 'IIRS\x08\0', 'MMOR\0\0'],
  [
    'SVG',
    '<svg xmlns="http://www.w3.org/2000/svg"/>',
    '<?xml version="1.0"?>\n<!-- made by hand -->\n<svg/>',
    '\xef\xbb\xbf <SVG>',
  ],
  ['SVG', `\xff\xfe${Buffer.from('<svg width="1">', 'utf16le').toString('latin1')}`],
  ['PDF', '%PDF-1.7\n', '\r\n\r\n%PDF-1.4'],
  ['EPS', '%!PS-Adobe-3.0 EPSF-3.0\n', '\xc5\xd0\xd3\xc6'],
  ['MP4 video', toMedia('isom', 'mp42'), toMedia('M4V '), toMedia('3gp5')],
  ['QuickTime video', toMedia('qt  '), '\0\0\0\x08wide\0\0\0\0mdat', '\0\0\x10\0moov'],
  ['WebM or Matroska video', '\x1a\x45\xdf\xa3\x9f'],
  ['AVI video', 'RIFF\0\0\x10\0AVI LIST'],
  ['MPEG video', '\0\0\x01\xba', `G${'\0'.repeat(187)}G${'\0'.repeat(187)}G`],
  ['FLV video', 'FLV\x01\x05'],
  ['BMP', 'BM\x36\0\0\0\0\0\0\0\x36'],
  ['ICO', '\0\0\x01\0\x01\0\x10\x10', '\0\0\x02\0\x01\0'],
  ['PSD', '8BPS\0\x01'],
  ['PNM', 'P6\n1 1\n255\n', 'P5\n# made by hand\n1 1'],
  ['HTML', '<!DOCTYPE html><html><svg/>', '\n<html lang="en">'],
  ['a ZIP archive', 'PK\x03\x04\x14'],
];

test('what_is_known_and_not_accepted_is_refused_by_its_name_and_the_answer_says_what_to_send', async () => {
  for (const [name, ...beginnings] of files) {
    for (const beginning of beginnings) {
      const bytes = Buffer.from(beginning.padEnd(64, '\0'), 'latin1');
      const { detail } = await assertRejects(inspectImage(bytes, limits), 'ERR_IMAGE_UNSUPPORTED', name);
      assert.equal(detail.split(' is not accepted: ')[0], name, JSON.stringify(beginning));
      assert.match(detail, /: ask the client (for|to) /);
    }
  }
  const { detail } = await assertRejects(
    inspectImage(Buffer.from(toMedia('heic'), 'latin1'), limits),
    'ERR_IMAGE_UNSUPPORTED',
  );
  assert.equal(detail, 'HEIC is not accepted: ask the client for JPEG');
});

test('bytes_of_no_known_format_are_refused_as_none_of_the_accepted_ones', async () => {
  const texts = [
    'hello',
    '\0'.repeat(64),
    'BMW is a maker of cars',
    'P5 and P6',
    'RIFF\x04\0\0\0WAVE',
    '<p>text</p>',
    'ftypheic',
    'GIF88a',
  ];
  for (const text of texts) {
    const { detail } = await assertRejects(
      inspectImage(Buffer.from(text, 'latin1'), limits),
      'ERR_IMAGE_UNSUPPORTED',
      text,
    );
    assert.equal(detail, 'the bytes are not JPEG, PNG, WebP, GIF, AVIF or TIFF', text);
  }
});

test('one_byte_and_a_beginning_that_is_cut_off_are_refused_without_being_read_beyond', async () => {
  for (const [, beginning = ''] of files) {
    for (let length = 1; length < Math.min(beginning.length, 24); length += 1) {
      const bytes = Buffer.from(beginning.slice(0, length), 'latin1');
      await assertRejects(inspectImage(bytes, limits), 'ERR_IMAGE_UNSUPPORTED', JSON.stringify(beginning));
    }
  }
});
