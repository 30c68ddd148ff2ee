import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import sharp from 'sharp';
import { openPicture } from '../../src/image/library.ts';

const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>');

test('a_loader_that_uploads_do_not_need_is_closed', async () => {
  await assert.rejects(
    openPicture(svg, { failOn: 'error', limitInputPixels: 100 }).metadata(),
    /unsupported image format/,
  );
});

test('a_thread_that_begins_leaves_the_loaders_of_its_process_as_they_are', async (t) => {
  sharp.unblock({ operation: ['VipsForeignLoadSvg'] });
  t.after(() => {
    sharp.block({ operation: ['VipsForeignLoadSvg'] });
  });
  const library = new URL('../../src/image/library.ts', import.meta.url);
  assert.deepEqual(await once(new Worker(library), 'exit'), [0]);
  assert.equal((await sharp(svg).metadata()).format, 'svg');
});
