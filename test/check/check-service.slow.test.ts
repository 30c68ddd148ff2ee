import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { ExitError } from '../../src/errors.ts';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { createSetting, hasCode, makeColour, toRequest } from './setting.ts';

test('a_verdict_is_the_worst_of_its_parts', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir, { policy: { red: { review: 0.5, reject: 0.9 }, green: { review: 0.5 } } });
  const { services, registry } = createSetting(dir);
  const green = await makeColour(0, 255, 0);
  const red = await makeColour(255, 0, 0);
  const blue = await makeColour(0, 0, 255);
  const verdictOf = async (...images: Buffer[]): Promise<string> =>
    (await services.checkService.check(toRequest(images.map((bytes) => ['x', bytes])))).verdict;
  assert.equal(await verdictOf(blue), 'accept');
  assert.equal(await verdictOf(blue, green), 'review');
  assert.equal(await verdictOf(green, red, blue), 'reject');
  assert.equal(services.checkService.checked(), 6);
  const text = await registry.metrics();
  assert.match(text, /image_check_checks_total\{model="colour",verdict="accept"\} 3/);
  assert.match(text, /image_check_labels_total\{model="colour",label="red"\} 1/);
});

test('a_label_without_thresholds_never_flags', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir, { policy: {} });
  const { services } = createSetting(dir);
  const { images, verdict } = await services.checkService.check(toRequest([['x', await makeColour(255, 255, 255)]]));
  assert.equal(verdict, 'accept');
  assert.ok(images[0]?.kind === 'checked');
  assert.ok(images[0].checks[0]?.labels.every((label) => !('thresholds' in label) && label.score > 0.99));
});

test('several_models_and_versions_judge_one_image', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir);
  await writeColourModel(dir, { version: '2', policy: {} });
  await writeColourModel(dir, { name: 'other', policy: { red: { review: 0.1 } } });
  const { services } = createSetting(dir);
  const red = await makeColour(255, 0, 0);
  const result = await services.checkService.check(
    toRequest([['x', red]], ['colour', 'colour@1', 'other', 'colour@2']),
  );
  assert.ok(result.images[0]?.kind === 'checked');
  const parts = result.images[0].checks.map(({ model, version, verdict }) => [model, version, verdict]);
  assert.deepEqual(parts, [
    ['colour', '2', 'accept'],
    ['colour', '1', 'reject'],
    ['other', '1', 'review'],
  ]);
});

test('one_broken_image_among_good_ones_counts_as_review', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir);
  const { services, registry } = createSetting(dir);
  const blue = await makeColour(0, 0, 255);
  const { verdict, images } = await services.checkService.check(
    toRequest([
      ['good', blue],
      ['bad', blue.subarray(0, 40)],
    ]),
  );
  assert.equal(verdict, 'review');
  assert.equal(images[0]?.kind, 'checked');
  assert.ok(images[1]?.kind === 'failed');
  assert.equal(images[1].error.code, 'ERR_IMAGE_CORRUPT');
  assert.match(await registry.metrics(), /image_check_errors_total\{error="ERR_IMAGE_CORRUPT"\} 1/);
});

test('if_all_images_fail_the_first_error_is_thrown', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir);
  const { services } = createSetting(dir);
  const text = Buffer.from('no picture at all');
  const both = toRequest([
    ['a', text],
    ['b', Buffer.alloc(0)],
  ]);
  await assert.rejects(services.checkService.check(both), hasCode('ERR_IMAGE_UNSUPPORTED'));
});

test('an_unknown_model_is_refused_before_any_decoding', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir);
  const { services } = createSetting(dir);
  await assert.rejects(
    services.checkService.check(toRequest([['x', Buffer.from('x')]], ['shape'])),
    hasCode('ERR_MODEL_UNKNOWN'),
  );
  await assert.rejects(
    services.checkService.check(toRequest([['x', Buffer.from('x')]], ['colour@9'])),
    hasCode('ERR_MODEL_UNKNOWN'),
  );
});

test('a_bomb_is_refused_from_its_header', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir);
  const { services } = createSetting(dir, { 'image.maxPixels': 1000 });
  const picture = await makeColour(1, 2, 3);
  await assert.rejects(services.checkService.check(toRequest([['x', picture]])), hasCode('ERR_IMAGE_TOO_MANY_PIXELS'));
});

test('a_deadline_in_the_past_never_reaches_the_model', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir);
  const { services } = createSetting(dir);
  const request = { ...toRequest([['x', await makeColour(1, 2, 3)]]), deadlineAt: performance.now() - 1 };
  await assert.rejects(services.checkService.check(request), hasCode('ERR_DEADLINE'));
});

test('an_unknown_default_model_stops_the_start', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir);
  assert.throws(
    () => createSetting(dir, { 'check.models': ['shape'] }),
    (thrown) => thrown instanceof ExitError && thrown.exitCode === 78,
  );
  assert.throws(() => createSetting(path.join(dir, 'colour')), ExitError);
});

test('who_waits_in_an_overload_is_refused_and_the_service_recovers', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir);
  const queueSize = 20;
  const { services } = createSetting(dir, { 'check.queueSize': queueSize, 'inference.maxBatch': 1 });
  const { checkService } = services;
  const blue = await makeColour(0, 0, 255);
  const check = () => checkService.check(toRequest([['x', blue]]));
  await check();
  const errors: unknown[] = [];
  const running = new Set<Promise<unknown>>();
  /** Only of who was let in: what it throws later is no refusal at the door. */
  const come = (): void => {
    try {
      checkService.assertRoom(Infinity, false);
    } catch {
      return;
    }
    const checking = check()
      .catch((thrown: unknown) => errors.push(thrown))
      .finally(() => running.delete(checking));
    running.add(checking);
  };
  come();
  while (errors.length === 0) {
    for (let image = 0; image < 3; image += 1) come();
    await Promise.race(running);
  }
  await Promise.all(running);
  assert.ok(errors.every(hasCode('ERR_OVERLOADED')), String(errors));
  await waitFor(async () => {
    const burst = await Promise.allSettled(Array.from({ length: queueSize }, check));
    return burst.every(({ status }) => status === 'fulfilled');
  });
});
