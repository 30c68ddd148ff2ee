import assert from 'node:assert/strict';
import test from 'node:test';
import { enlargeJpeg, makeChunks, repeatLastScan } from '../fixtures/costly-pictures.ts';
import { startService } from '../fixtures/service.ts';
import { postForm } from '../fixtures/uploads.ts';
import { makeAnimatedWebp, makeTiff } from '../image/containers.ts';
import { drawPlain, red } from '../image/fixtures.ts';
import { attackBesidePolite, uploadAll } from './attack.ts';

test('forms_of_six_pngs_of_empty_chunks_are_refused_and_cost_no_worker', async (context) => {
  const service = await startService(context);
  const bytes = makeChunks();
  const files = Array.from({ length: 6 }, (_, index) => ({ name: `${String(index)}.png`, bytes }));
  await attackBesidePolite(context, service, async () => {
    for (let form = 0; form < 2; form += 1) {
      const { status, body } = await postForm(service.url, files);
      assert.deepEqual([status, body.code], [422, 'ERR_IMAGE_TOO_COSTLY']);
      assert.match(body.detail ?? '', /more than 1000 chunks before its pixels$/);
    }
  });
});

test('pictures_of_more_parts_than_real_ones_are_refused_and_harm_nobody_else', async (context) => {
  const service = await startService(context);
  const still = await drawPlain(red, 1, 1).webp({ lossless: true }).toBuffer();
  const progressive = await drawPlain(red, 64, 64).jpeg({ progressive: true }).toBuffer();
  const pictures = [
    ['webp', makeAnimatedWebp(still, 20_000)],
    ['long webp', makeAnimatedWebp(still, 150_000)],
    ['tiff', makeTiff(90_000)],
    ['ring of a tiff', makeTiff(90_000, { lastNext: 8 })],
    ['jpeg', enlargeJpeg(repeatLastScan(progressive, 60), 7000)],
  ] as const;
  await attackBesidePolite(context, service, async () => {
    const answers = await uploadAll(service.url, pictures, 4);
    // The attacker may be told to slow down.
    for (const answer of answers) assert.match(answer, /: (422 ERR_IMAGE_TOO_COSTLY|429 ERR_OVERLOADED)$/);
    assert.ok(answers.some((answer) => answer.includes('ERR_IMAGE_TOO_COSTLY')));
  });
});
