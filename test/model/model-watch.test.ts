import assert from 'node:assert/strict';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { readModelsLook, startModelWatch } from '../../src/model/model-watch.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const manifest = {
  format: 'tfjs-layers',
  policy: { red: { review: 0.5 } },
  files: { 'model.json': 'sha256-1', 'weights.bin': 'sha256-2' },
  golden: [{ image: 'golden/red.png', scores: [1] }],
};

function writeManifest(dir: string, change: object = {}): void {
  writeFileSync(path.join(dir, 'manifest.json'), JSON.stringify({ ...manifest, ...change }));
}

/** Writes the files that a watch reads; it never loads a model. */
function writeVersion(modelsDir: string, version = '1'): string {
  const dir = path.join(modelsDir, 'colour', version);
  mkdirSync(path.join(dir, 'golden'), { recursive: true });
  for (const file of ['model.json', 'weights.bin', 'golden/red.png']) writeFileSync(path.join(dir, file), file);
  writeManifest(dir);
  return dir;
}

interface Watched {
  readonly modelsDir: string;
  /** The folder of version 1. */
  readonly dir: string;
  /** Number of reports of each kind of change. */
  readonly seen: () => { versions: number; policies: number };
  readonly polls: () => number;
  /** Called at the start of each poll. */
  onPoll: (() => void) | undefined;
  watchedDir: string | undefined;
  readonly stop: () => void;
}

async function startWatch(context: test.TestContext): Promise<Watched> {
  const modelsDir = makeTempDir(context);
  const dir = writeVersion(modelsDir);
  let versions = 0;
  let policies = 0;
  let polls = 0;
  const watched: Watched = {
    modelsDir,
    dir,
    seen: () => ({ versions, policies }),
    polls: () => polls,
    onPoll: undefined,
    watchedDir: modelsDir,
    stop: () => {
      stop();
    },
  };
  const known = await readModelsLook(modelsDir);
  const stop = startModelWatch({
    dir: () => {
      polls += 1;
      watched.onPoll?.();
      return watched.watchedDir;
    },
    known,
    onVersions: () => (versions += 1),
    onPolicies: () => (policies += 1),
    pollMs: 5,
  });
  context.after(stop);
  return watched;
}

/** Waits for these numbers of reports, then for enough polls to report more. */
async function assertSeen(watched: Watched, expected: { versions: number; policies: number }): Promise<void> {
  await waitFor(() => {
    const { versions, policies } = watched.seen();
    return versions >= expected.versions && policies >= expected.policies;
  });
  const polls = watched.polls();
  await waitFor(() => watched.polls() > polls + 4);
  assert.deepEqual(watched.seen(), expected);
}

test('what_was_there_at_the_start_is_no_change', async (context) => {
  await assertSeen(await startWatch(context), { versions: 0, policies: 0 });
});

test('a_new_version_a_new_name_and_one_that_goes_are_changes_of_versions', async (context) => {
  const watched = await startWatch(context);
  writeVersion(watched.modelsDir, '2');
  await assertSeen(watched, { versions: 1, policies: 0 });
  cpSync(path.join(watched.modelsDir, 'colour'), path.join(watched.modelsDir, 'shape'), { recursive: true });
  await assertSeen(watched, { versions: 2, policies: 0 });
  rmSync(path.join(watched.modelsDir, 'shape'), { recursive: true });
  await assertSeen(watched, { versions: 3, policies: 0 });
});

test('a_changed_manifest_weight_or_golden_image_is_a_change_of_versions', async (context) => {
  const watched = await startWatch(context);
  writeManifest(watched.dir, { format: 'tfjs-graph' });
  await assertSeen(watched, { versions: 1, policies: 0 });
  writeFileSync(path.join(watched.dir, 'weights.bin'), 'other weights');
  await assertSeen(watched, { versions: 2, policies: 0 });
  utimesSync(path.join(watched.dir, 'golden', 'red.png'), 1, 1);
  await assertSeen(watched, { versions: 3, policies: 0 });
  rmSync(path.join(watched.dir, 'model.json'));
  await assertSeen(watched, { versions: 4, policies: 0 });
});

test('thresholds_are_a_change_of_policies_alone', async (context) => {
  const watched = await startWatch(context);
  writeManifest(watched.dir, { policy: { red: { review: 0.7 } } });
  await assertSeen(watched, { versions: 0, policies: 1 });
  writeManifest(watched.dir, { policy: undefined });
  await assertSeen(watched, { versions: 0, policies: 2 });
  writeManifest(watched.dir, { policies: { strict: { red: { review: 0.1 } } } });
  await assertSeen(watched, { versions: 0, policies: 3 });
  writeManifest(watched.dir, { policies: { strict: { red: { review: 0.2 } } } });
  await assertSeen(watched, { versions: 0, policies: 4 });
});

test('what_the_service_writes_itself_and_what_no_version_names_is_no_change', async (context) => {
  const watched = await startWatch(context);
  mkdirSync(path.join(watched.dir, 'compiled'));
  writeFileSync(path.join(watched.dir, 'compiled', 'artefact.json'), '{}');
  writeFileSync(path.join(watched.dir, 'MODEL_CARD.md'), 'a card');
  cpSync(watched.dir, path.join(watched.modelsDir, 'colour', '.2.77.partial'), { recursive: true });
  writeFileSync(path.join(watched.modelsDir, 'README'), 'no folder');
  await assertSeen(watched, { versions: 0, policies: 0 });
});

test('a_copy_that_still_grows_is_not_taken_up_half_way', async (context) => {
  const watched = await startWatch(context);
  const weights = path.join(writeVersion(watched.modelsDir, '2'), 'weights.bin');
  const grown = { polls: 0, isWhole: false };
  watched.onPoll = () => {
    if (!grown.isWhole) appendFileSync(weights, 'more');
    grown.polls += 1;
  };
  await waitFor(() => grown.polls > 20);
  assert.deepEqual(watched.seen(), { versions: 0, policies: 0 });
  grown.isWhole = true;
  await assertSeen(watched, { versions: 1, policies: 0 });
});

test('weights_that_land_after_the_manifest_are_a_change_again', async (context) => {
  const watched = await startWatch(context);
  const next = path.join(watched.modelsDir, 'colour', '2');
  mkdirSync(next);
  await assertSeen(watched, { versions: 0, policies: 0 });
  writeManifest(next);
  await assertSeen(watched, { versions: 1, policies: 0 });
  writeFileSync(path.join(next, 'weights.bin'), 'weights');
  await assertSeen(watched, { versions: 2, policies: 0 });
});

test('a_manifest_that_is_no_json_is_a_change_of_policies_where_the_version_is_known', async (context) => {
  const watched = await startWatch(context);
  for (const [index, text] of ['{"policy":', '[]', 'null', ''].entries()) {
    writeFileSync(path.join(watched.dir, 'manifest.json'), text);
    await assertSeen(watched, { versions: 0, policies: index + 1 });
  }
  writeManifest(watched.dir, { policy: { red: { review: 0.6 } } });
  await assertSeen(watched, { versions: 0, policies: 5 });
  // Entries that are no files or images are rejected by the workers.
  writeManifest(watched.dir, { files: 7, golden: [null, { image: 7 }] });
  await assertSeen(watched, { versions: 1, policies: 5 });
});

test('a_new_version_that_is_no_json_is_a_change_and_so_is_its_repair', async (context) => {
  const watched = await startWatch(context);
  const next = path.join(watched.modelsDir, 'colour', '2');
  mkdirSync(next);
  writeFileSync(path.join(next, 'manifest.json'), '{');
  await assertSeen(watched, { versions: 1, policies: 0 });
  writeManifest(next);
  await assertSeen(watched, { versions: 2, policies: 0 });
});

test('a_folder_that_is_away_for_a_while_is_no_change', async (context) => {
  const watched = await startWatch(context);
  const away = `${watched.modelsDir}-away`;
  renameSync(watched.modelsDir, away);
  context.after(() => {
    rmSync(away, { recursive: true, force: true });
  });
  await assertSeen(watched, { versions: 0, policies: 0 });
  renameSync(away, watched.modelsDir);
  await assertSeen(watched, { versions: 0, policies: 0 });
  writeManifest(watched.dir, { policy: {} });
  await assertSeen(watched, { versions: 0, policies: 1 });
});

test('a_folder_that_is_watched_from_now_on_is_no_change_and_one_that_is_not_watched_tells_nothing', async (context) => {
  const watched = await startWatch(context);
  watched.watchedDir = undefined;
  await assertSeen(watched, { versions: 0, policies: 0 });
  writeVersion(watched.modelsDir, '2');
  await assertSeen(watched, { versions: 0, policies: 0 });
  watched.watchedDir = watched.modelsDir;
  await assertSeen(watched, { versions: 0, policies: 0 });
  writeVersion(watched.modelsDir, '3');
  await assertSeen(watched, { versions: 1, policies: 0 });
});

test('a_watch_that_is_stopped_looks_no_more', async (context) => {
  const watched = await startWatch(context);
  await waitFor(() => watched.polls() > 3);
  watched.stop();
  const polls = watched.polls();
  writeVersion(watched.modelsDir, '2');
  const other = await startWatch(context);
  await waitFor(() => other.polls() > 10);
  assert.equal(watched.polls(), polls);
  assert.deepEqual(watched.seen(), { versions: 0, policies: 0 });
});

test('models_that_are_shipped_can_be_looked_at', async () => {
  const shipped = await readModelsLook('models');
  const { files } = JSON.parse(readFileSync('models/quality/2/manifest.json', 'utf8')) as { files: object };
  const content = shipped?.get('quality/2')?.content ?? '';
  for (const file of Object.keys(files)) assert.match(content, new RegExp(`^${file} \\d+ `, 'm'));
  assert.doesNotMatch(content, /absent|review/);
});
