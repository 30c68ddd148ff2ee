import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { projectRoot } from '../../src/cli/project.ts';
import { getNativeLibrary } from '../../src/native-library.ts';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { makePhoto } from '../fixtures/pictures.ts';
import { startService } from '../fixtures/service.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { postRaw } from '../fixtures/uploads.ts';

/** One version for each way in which a load fails. */
async function writeBrokenModels(dir: string): Promise<readonly string[]> {
  const damages: Record<string, (folder: string) => void> = {
    'missing-topology': (folder) => {
      rmSync(path.join(folder, 'model.json'));
    },
    'missing-weights': (folder) => {
      rmSync(path.join(folder, 'weights.bin'));
    },
    'missing-golden': (folder) => {
      rmSync(path.join(folder, 'golden'), { recursive: true });
    },
    'wrong-hash': (folder) => {
      writeFileSync(path.join(folder, 'weights.bin'), 'other weights');
    },
    'broken-manifest': (folder) => {
      writeFileSync(path.join(folder, 'manifest.json'), '{');
    },
  };
  for (const [name, damage] of Object.entries(damages)) damage(await writeColourModel(dir, { name }));
  await writeColourModel(dir, { name: 'wrong-scores', goldenScores: [0, 1, 0] });
  const files = [['saved_model.pb', Buffer.from([0x08, 0x01, 0x12, 0xff, 0xff])]] as const;
  await writeColourModel(dir, { name: 'no-graph', files, manifest: { format: 'tf-savedmodel', golden: [] } });
  return [...Object.keys(damages), 'wrong-scores', 'no-graph'];
}

test('each_failed_load_is_one_error_line_and_nothing_that_is_answered_names_a_path', async (context) => {
  // Whitespace in a path is where a careless pattern lets the rest of it through.
  const dir = path.join(makeTempDir(context), 'my models');
  mkdirSync(dir);
  const names = await writeBrokenModels(dir);
  await writeColourModel(dir);
  const args = ['--models', dir, '--workers', '1', '--set', 'check.models=colour'];
  const service = await startService(context, { args });
  const photo = await makePhoto();
  const answers: string[] = [];
  for (const name of names) {
    const { status, body } = await postRaw(service.url, photo, { query: `?model=${name}` });
    assert.deepEqual([status, body.code], [503, 'ERR_MODEL_UNAVAILABLE'], JSON.stringify(body));
    answers.push(JSON.stringify(body));
  }
  for (const url of [service.url, service.opsUrl]) {
    for (const route of ['/health', '/v1/models', '/metrics']) answers.push(await (await fetch(url + route)).text());
  }
  const secrets = [dir, 'my models', projectRoot, homedir(), tmpdir(), path.dirname(getNativeLibrary())];
  for (const answer of answers) {
    for (const secret of secrets.filter((root) => root.length > 1)) {
      const at = answer.indexOf(secret);
      assert.equal(at, -1, `${secret} in ${answer.slice(at - 100, at + 100)}`);
    }
  }
  const lines = service
    .stderr()
    .split('\n')
    .filter((line) => line.includes('a model failed to load'));
  const told = lines.map(
    (line) => JSON.parse(line) as { level: string; model: string; version: string; reason: string },
  );
  // A load is tried again after its backoff, which is another line; a manifest is read once.
  const count = (name: string): number => told.filter(({ model }) => model === name).length;
  assert.deepEqual([...new Set(told.map(({ model }) => model))].sort(), [...names].sort());
  assert.equal(count('broken-manifest'), 1);
  for (const { level, version, reason } of told) {
    assert.deepEqual([level, version, reason === ''], ['error', '1', false]);
  }
});
