import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import type { Sharp } from 'sharp';
import { projectRoot } from '../../src/cli/project.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import type { DecodeCost } from './decode-once.ts';
import { drawPlain, red, toChunk } from './fixtures.ts';

const [width, height] = [4000, 4000];
const pixels = width * height;
const run = promisify(execFile);
const isMeasurable = process.platform === 'linux';

/** Decodes a picture in a process of its own. */
async function decodeOnce(context: TestContext, bytes: Uint8Array, kernel: 'bilinear' | 'lanczos') {
  const file = path.join(makeTempDir(context), 'picture');
  writeFileSync(file, bytes);
  const program = ['--import', './test/typescript.mjs', 'test/image/decode-once.ts', file, kernel];
  const { stdout } = await run(process.execPath, program, { cwd: projectRoot });
  return JSON.parse(stdout) as DecodeCost;
}

function draw(): Sharp {
  return drawPlain(red, width, height);
}

/** Without a profile, which would take precedence over the colour chunks. */
function withChunks(png: Buffer, orientation: number, ...chunks: readonly Buffer[]): Buffer {
  const exif = Buffer.from('II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\0\0\0\0\0\0\0\0', 'latin1');
  exif.writeUInt16LE(orientation, 18);
  return Buffer.concat([png.subarray(0, 33), ...chunks, toChunk('eXIf', exif), png.subarray(33)]);
}

/** Linear light. */
const gamma = toChunk('gAMA', Buffer.of(0, 1, 0x86, 0xa0));

test(
  'sampling_a_picture_takes_no_more_memory_than_it_is_priced_however_it_is_turned',
  { skip: !isMeasurable },
  async (context) => {
    const png = await draw().png({ compressionLevel: 1 }).toBuffer();
    for (const orientation of [1, 3, 6]) {
      const { rise, priced } = await decodeOnce(context, withChunks(png, orientation), 'bilinear');
      const about = `orientation ${String(orientation)}: ${String(rise)} bytes, priced ${String(priced)}`;
      assert.ok(rise <= priced, about);
      assert.ok(rise > pixels * 3, `${about}: its pixels were in memory`);
      assert.ok(priced < pixels * 6, `${about}: once`);
    }
  },
);

test('samples_that_are_converted_and_those_of_WebP_are_priced', { skip: !isMeasurable }, async (context) => {
  const deep = draw().ensureAlpha(0.5).toColourspace('rgb16');
  const pictures = {
    gAMA: withChunks(await draw().png({ compressionLevel: 1 }).toBuffer(), 6, gamma),
    'gAMA, 16 bits and alpha': withChunks(await deep.png({ compressionLevel: 1 }).toBuffer(), 6, gamma),
    WebP: await draw().ensureAlpha(0.5).webp({ effort: 0 }).toBuffer(),
  };
  for (const [name, bytes] of Object.entries(pictures)) {
    const { rise, priced } = await decodeOnce(context, bytes, 'bilinear');
    assert.ok(rise <= priced, `${name}: ${String(rise)} bytes, priced ${String(priced)}`);
  }
});

test(
  'a_picture_that_can_be_reduced_only_when_it_is_decoded_is_priced_as_it_is_turned',
  { skip: !isMeasurable },
  async (context) => {
    for (const orientation of [1, 3, 6]) {
      const bytes = (await draw().withMetadata({ orientation }).jpeg().toBuffer()).subarray(0, -2);
      const { rise, priced } = await decodeOnce(context, bytes, 'lanczos');
      assert.ok(rise <= priced, `orientation ${String(orientation)}: ${String(rise)} bytes, priced ${String(priced)}`);
    }
  },
);
