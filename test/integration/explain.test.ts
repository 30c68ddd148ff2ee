import assert from 'node:assert/strict';
import test from 'node:test';
import sharp from 'sharp';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { makeMarked, writeMapModel } from '../fixtures/map-model.ts';
import { type Service, startService } from '../fixtures/service.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { type Answer, type MapBody, postForm, postRaw } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';

/** ITU-R BT.601. */
const [redLuma, blueLuma] = [0.299, 0.114];

type Quarter = 'top left' | 'top right' | 'bottom left' | 'bottom right';

/** A picture on its end, of which one quarter is red. */
function makeQuarter(quarter: Quarter): Promise<Buffer> {
  const [top, left] = [quarter.startsWith('top') ? 0 : 0.5, quarter.endsWith('left') ? 0 : 0.5];
  return makeMarked([300, 400], [left, top, left + 0.5, top + 0.5]);
}

function getMap({ status, body }: Answer, image = 0): MapBody | undefined {
  assert.equal(status, 200, JSON.stringify(body));
  const labels = body.images?.[image]?.checks?.[0]?.labels ?? [];
  assert.deepEqual(
    labels.map(({ label, verdict }) => [label, verdict]),
    [
      ['red', 'reject'],
      ['green', 'accept'],
      ['blue', 'accept'],
    ],
  );
  assert.ok(
    labels.slice(1).every((label) => !('map' in label)),
    'what is not flagged has no map, although blue is everywhere',
  );
  return labels[0]?.map;
}

/** All of the picture's columns, and cells are hot where it is red alone. */
function assertHot(map: MapBody | undefined, quarter: Quarter): void {
  assert.deepEqual([map?.columns, map?.rows, map?.area], [5, 6, undefined]);
  const found = { hot: 0, cold: 0 };
  for (const [row, scores] of map?.scores.entries() ?? []) {
    for (const [column, score] of scores.entries()) {
      // The middle column is of both.
      if (column === 2) continue;
      const where = `${row < 3 ? 'top' : 'bottom'} ${column < 2 ? 'left' : 'right'}`;
      found[where === quarter ? 'hot' : 'cold'] += 1;
      const told = `row ${String(row)}, column ${String(column)}: ${String(score)}`;
      assert.ok(where === quarter ? score > 0.7 : score < 0.3, told);
      assert.equal(score, Math.round(score * 10_000) / 10_000);
    }
  }
  assert.deepEqual(found, { hot: 6, cold: 18 });
}

async function startMapService(
  context: test.TestContext,
  options: { args?: readonly string[]; environment?: NodeJS.ProcessEnv } = {},
): Promise<Service> {
  const dir = makeTempDir(context);
  await writeMapModel(dir, { name: 'quality', resize: 'contain' });
  await writeColourModel(dir);
  const args = ['--models', dir, '--workers', '1', ...(options.args ?? [])];
  return startService(context, { ...options, args });
}

const compiling = { IMAGE_CHECK_MODEL_COMPILE: 'true', IMAGE_CHECK_CHECK_DEADLINE_MS: '60000' };
const forms = [
  { form: 'compiled', environment: compiling },
  { form: 'op-by-op', environment: {} },
  { form: 'op-by-op', environment: {}, args: ['--engine', 'wasm'] },
];
for (const { form, ...options } of forms) {
  test(`the_marked_quarter_of_a_picture_is_hot_in_its_map_${[form, ...(options.args ?? [])].join('_')}`, async (context) => {
    const service = await startMapService(context, options);
    for (const quarter of ['top left', 'top right', 'bottom left', 'bottom right'] as const) {
      assertHot(getMap(await postRaw(service.url, await makeQuarter(quarter), { query: '?explain=1' })), quarter);
    }
    await waitFor(async () => (await service.health()).workers[0]?.models['quality']?.form === form);
  });
}

test('the_map_lies_over_the_picture_as_its_exif_orientation_shows_it', async (context) => {
  const service = await startMapService(context);
  const upright = await makeQuarter('top right');
  for (const [orientation, angle] of [
    [1, 0],
    [3, 180],
    [6, 270],
    [8, 90],
  ] as const) {
    const stored = await sharp(upright).rotate(angle).withMetadata({ orientation }).jpeg({ quality: 95 }).toBuffer();
    const answer = await postRaw(service.url, stored, { query: '?explain=1' });
    const { width, height } = answer.body.images?.[0]?.image ?? {};
    assert.deepEqual([width, height], [300, 400], `orientation ${String(orientation)}`);
    assertHot(getMap(answer), 'top right');
  }
});

test('each_picture_of_a_form_has_its_own_map', async (context) => {
  const service = await startMapService(context);
  const quarters = ['bottom left', 'top right', 'top left'] as const;
  const files = await Promise.all(quarters.map(async (name) => ({ name, bytes: await makeQuarter(name) })));
  const answer = await postForm(service.url, files, '?explain=1');
  for (const [index, quarter] of quarters.entries()) assertHot(getMap(answer, index), quarter);
});

test('only_who_asks_gets_a_map_and_a_model_that_has_none_gives_none', async (context) => {
  const service = await startMapService(context);
  const picture = await makeQuarter('top left');
  const queries = ['', '?explain=1', '?explain=0', '?explain=1', '', '?explain=1'];
  const answers = await Promise.all(queries.map((query) => postRaw(service.url, picture, { query })));
  for (const [index, answer] of answers.entries()) {
    const map = getMap(answer);
    if (queries[index] === '?explain=1') assertHot(map, 'top left');
    else assert.equal(map, undefined);
  }
  const red = await makeMarked([40, 30], [0, 0, 1, 1]);
  const { status, body } = await postRaw(service.url, red, { query: '?explain=1&model=colour' });
  assert.equal(status, 200);
  const [label] = body.images?.[0]?.checks?.[0]?.labels ?? [];
  assert.deepEqual([label?.verdict, label?.map], ['reject', undefined]);
  const refused = await postRaw(service.url, picture, { query: '?explain=yes' });
  assert.deepEqual([refused.status, refused.body.code], [400, 'ERR_REQUEST_INVALID']);
});

for (const { form, ...options } of forms) {
  test(`the_map_of_a_grey_model_shows_the_luma_of_the_picture_${[form, ...(options.args ?? [])].join('_')}`, async (context) => {
    const dir = makeTempDir(context);
    const policy = { light: { reject: 0.2 } };
    await writeMapModel(dir, { name: 'quality', resize: 'contain', colour: 'grey', policy });
    const loadTime = ['--set', 'check.deadlineMs=60000'];
    const args = ['--models', dir, '--workers', '1', ...loadTime, ...(options.args ?? [])];
    const service = await startService(context, { ...options, args });
    const answer = await postRaw(service.url, await makeQuarter('bottom left'), { query: '?explain=1' });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const [label] = answer.body.images?.[0]?.checks?.[0]?.labels ?? [];
    assert.deepEqual([label?.label, label?.verdict], ['light', 'reject']);
    assert.ok(Math.abs((label?.score ?? NaN) - redLuma) < 0.01, String(label?.score));
    assert.deepEqual([label?.map?.columns, label?.map?.rows], [5, 6]);
    const scores = label?.map?.scores ?? [];
    const corners = [scores[5]?.[0], scores[0]?.[0], scores[5]?.[4]];
    for (const [index, luma] of [redLuma, blueLuma, blueLuma].entries()) {
      assert.ok(Math.abs((corners[index] ?? NaN) - luma) < 0.01, `corners ${corners.join(', ')}`);
    }
    await waitFor(async () => (await service.health()).workers[0]?.models['quality']?.form === form);
  });
}
