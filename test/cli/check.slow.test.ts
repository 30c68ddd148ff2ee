import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { makeMarked, writeMapModel } from '../fixtures/map-model.ts';
import { makePhoto, makePlain } from '../fixtures/pictures.ts';
import { startLauncher, startService } from '../fixtures/service.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import type { MapBody } from '../fixtures/uploads.ts';

interface Ended {
  readonly code: unknown;
  readonly lines: readonly string[];
  readonly stderr: string;
}

async function runCommand(context: test.TestContext, ...args: readonly string[]): Promise<Ended> {
  const started = startLauncher(context, { args });
  const code = await started.ended;
  return { code, lines: started.stdout().trim().split('\n'), stderr: started.stderr() };
}

async function toFolder(context: test.TestContext): Promise<string> {
  const dir = makeTempDir(context);
  mkdirSync(path.join(dir, 'deep'));
  writeFileSync(path.join(dir, 'black.jpg'), await makePlain(0));
  writeFileSync(path.join(dir, 'deep', 'photo.jpg'), await makePhoto());
  return dir;
}

test('check_tells_verdicts_of_a_folder_and_exits_with_1_when_one_is_not_accepted', async (context) => {
  const dir = await toFolder(context);
  const { code, lines } = await runCommand(context, 'check', dir);
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /^(reject|review) .*black\.jpg .*dark (0\.\d\d|1\.00)/);
  assert.equal(code, 1);
  assert.equal((await runCommand(context, 'check', '--recursive', dir)).lines.length, 2);
});

test('an_unreadable_file_is_an_error_and_exits_with_2', async (context) => {
  const dir = await toFolder(context);
  writeFileSync(path.join(dir, 'text.jpg'), 'no picture');
  const { code, lines } = await runCommand(context, 'check', path.join(dir, 'nowhere.jpg'), path.join(dir, 'text.jpg'));
  assert.equal(code, 2);
  assert.match(lines[0] ?? '', /^error .*nowhere\.jpg .*can't be read: ENOENT/);
  assert.match(lines[1] ?? '', /^error .*text\.jpg .*ERR_IMAGE_UNSUPPORTED/);
});

test('a_running_service_gives_the_same_scores_as_this_process', async (context) => {
  const service = await startService(context, { args: ['--workers', '1'] });
  const file = path.join(await toFolder(context), 'black.jpg');
  const [local, remote] = [
    await runCommand(context, 'check', '--json', file),
    await runCommand(context, 'check', '--json', '--server', service.url, file),
  ];
  assert.deepEqual([local.code, remote.code], [1, 1]);
  const toScores = ({ lines }: Ended): number[] => {
    const checked = JSON.parse(lines[0] ?? '') as { checks: { labels: { score: number }[] }[] };
    return checked.checks.flatMap(({ labels }) => labels.map(({ score }) => score));
  };
  const [here, there] = [toScores(local), toScores(remote)];
  assert.ok(here.length > 0 && here.length === there.length, there.join());
  // The service rounds.
  assert.ok(
    here.every((score, index) => Math.abs(score - (there[index] ?? Number.NaN)) < 1e-4),
    `${here.join()} and ${there.join()}`,
  );
});

test('explain_tells_where_flagged_labels_show_in_this_process_and_by_a_service', async (context) => {
  const dir = makeTempDir(context);
  await writeMapModel(dir, { name: 'quality' });
  const file = path.join(makeTempDir(context), 'marked.png');
  writeFileSync(file, await makeMarked([320, 240], [0, 0, 0.5, 0.5]));
  const service = await startService(context, { args: ['--workers', '1', '--models', dir] });
  const check = async (...args: string[]): Promise<(MapBody | undefined)[]> => {
    const { lines } = await runCommand(context, 'check', '--json', ...args, file);
    const checked = JSON.parse(lines[0] ?? '') as { checks: { labels: { map?: MapBody }[] }[] };
    return checked.checks.flatMap(({ labels }) => labels.map(({ map }) => map));
  };
  const row = (start: number): number[] => Array.from({ length: 8 }, (_, column) => (column < 4 ? start : 0));
  const scores = Array.from({ length: 6 }, (_, index) => row(index < 3 ? 1 : 0));
  const expected = [{ columns: 8, rows: 6, scores }, undefined, undefined];
  const [local, remote] = [
    await check('--explain', '--models', dir),
    await check('--explain', '--server', service.url),
  ];
  for (const maps of [local, remote]) {
    const rounded = maps.map((map) => map && { ...map, scores: map.scores.map((line) => line.map(Math.round)) });
    assert.deepEqual(rounded, expected);
  }
  assert.deepEqual(await check('--models', dir), [undefined, undefined, undefined]);
  assert.deepEqual(await check('--server', service.url), [undefined, undefined, undefined]);
});

test('a_service_that_is_not_there_is_an_error', async (context) => {
  const file = path.join(await toFolder(context), 'black.jpg');
  const { code, lines } = await runCommand(context, 'check', '--server', 'http://127.0.0.1:1', file);
  assert.equal(code, 2);
  assert.match(lines[0] ?? '', /^error .*black\.jpg .*(ECONNREFUSED|fetch failed)/);
});
