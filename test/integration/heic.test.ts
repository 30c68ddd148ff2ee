import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { writeQuadsModel } from '../fixtures/quads-model.ts';
import { type Service, startService } from '../fixtures/service.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { type Answer, postForm, postRaw } from '../fixtures/uploads.ts';
import { assertColour } from '../image/fixtures.ts';
import { coded, toTurn, writeHeic } from '../image/heic-files.ts';
import { quarters } from '../image/tiff-files.ts';

/** The decoder of a busy machine may take a second to start. */
const settings = ['image.decodeTimeoutMs=60000', 'check.deadlineMs=60000'];

async function startQuads(context: TestContext, ...more: readonly string[]): Promise<Service> {
  const dir = makeTempDir(context);
  await writeQuadsModel(dir, 'quality');
  const set = [...settings, ...more].flatMap((setting) => ['--set', setting]);
  return startService(context, { args: ['--models', dir, '--workers', '1', ...set] });
}

function assertQuarters({ status, body }: Answer, order: readonly number[], size: readonly [number, number]): void {
  assert.equal(status, 200, JSON.stringify(body));
  const [image] = body.images ?? [];
  assert.deepEqual([image?.image?.format, image?.image?.width, image?.image?.height], ['heic', ...size]);
  const seen = image?.checks?.[0]?.labels.map(({ score }) => score * 255) ?? [];
  for (const [quarter, at] of order.entries()) {
    const colour = quarters[at] ?? assert.fail();
    assertColour(seen.slice(quarter * 3, quarter * 3 + 3), colour, 6, `quarter ${String(quarter)}`);
  }
}

test('a_heic_gets_a_verdict_of_its_colours_where_image_heic_is_on_and_one_that_is_cut_off_or_damaged_is_corrupt', async (context) => {
  const service = await startQuads(context, 'image.heic=true');
  const headers = { 'Content-Type': 'image/heic' };
  assertQuarters(await postRaw(service.url, writeHeic(), { headers }), [0, 1, 2, 3], [64, 48]);
  assertQuarters(await postRaw(service.url, writeHeic([toTurn(1)]), { headers }), [1, 3, 0, 2], [48, 64]);

  const whole = writeHeic();
  for (const bytes of [whole.subarray(0, -150), whole.subarray(0, 60), writeHeic([], Buffer.alloc(coded.length))]) {
    const { status, body } = await postRaw(service.url, bytes);
    assert.deepEqual([status, body.code], [422, 'ERR_IMAGE_CORRUPT']);
  }
  const files = [whole.subarray(0, -150), whole].map((bytes, index) => ({ name: `${String(index)}.heic`, bytes }));
  const { status, body } = await postForm(service.url, files);
  assert.equal(status, 200);
  assert.deepEqual(
    body.images?.map(({ name, error, image }) => [name, error?.code, image?.format]),
    [
      ['0.heic', 'ERR_IMAGE_CORRUPT', undefined],
      ['1.heic', undefined, 'heic'],
    ],
  );
});

test('a_heic_is_refused_by_name_where_image_heic_is_off', async (context) => {
  const service = await startQuads(context);
  const { status, body } = await postRaw(service.url, writeHeic());
  assert.deepEqual(
    [status, body.code, body.detail],
    [415, 'ERR_IMAGE_UNSUPPORTED', 'HEIC is not accepted: ask the client for JPEG'],
  );
});
