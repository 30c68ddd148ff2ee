import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { writeArtefact } from '../../src/compile/artefact-folder.ts';
import { compileModel, type CompileOutcome } from '../../src/compile/compile-model.ts';
import { createTensorFlowEngine } from '../../src/inference/engines/tensorflow-engine.ts';
import { findArtefact, toArtefactKey } from '../../src/model/artefact.ts';
import { toManifest } from '../../src/model/manifest.ts';
import { toFileHash } from '../../src/model/model-files.ts';
import { makeRaster, startTensorFlow, writeModel, type WrittenModel } from '../fixtures/compile-models.ts';
import { GraphFiles } from '../fixtures/graph-files.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

const tf = await startTensorFlow();
const engine = createTensorFlowEngine();
const version = engine.tensorflowVersion ?? '';

function writeSmall(context: TestContext, weights?: readonly number[]): WrittenModel {
  const files = new GraphFiles()
    .ints('axes', [1, 2])
    .apply('mean', 'Mean', ['x', 'axes'], { keep_dims: { b: false } })
    .floats('m', [3, 3], weights)
    .apply('scores', 'MatMul', ['mean', 'm'], { transpose_a: { b: false }, transpose_b: { b: false } })
    .toFiles();
  return writeModel(makeTempDir(context), files, { format: 'tfjs-graph', output: { activation: 'sigmoid' } });
}

async function compile({ model, files }: WrittenModel, outDir?: string): Promise<CompileOutcome> {
  const options = {
    cacheDir: '/nowhere',
    rasters: [makeRaster(1)],
    environment: process.env,
    ...(outDir === undefined ? {} : { outDir }),
  };
  return compileModel(tf, model, files, options);
}

async function compileFound(written: WrittenModel): Promise<string> {
  const outcome = await compile(written);
  assert.ok(outcome.kind === 'compiled', outcome.kind === 'refused' ? outcome.reason : '');
  const found = await findArtefact(written.model, '/nowhere', version);
  assert.equal(found.kind, 'compiled');
  return outcome.dir;
}

test('an_artefact_is_found_where_it_was_written_and_runs', async (context) => {
  const written = writeSmall(context);
  const dir = await compileFound(written);
  assert.equal(dir, path.join(written.model.dir, 'compiled'));
  const compiled = await engine.loadModel(written.model, new Map(), dir);
  const original = await engine.loadModel(written.model, written.files);
  assert.deepEqual([compiled.form, original.form], ['compiled', 'op-by-op']);
  assert.ok((compiled.usefulBatch ?? 0) >= 1);
  assert.equal((await compiled.run(makeRaster(5), 1)).length, 3);
});

test('an_artefact_of_the_cache_is_found_for_a_models_folder_without_one', async (context) => {
  const written = writeSmall(context);
  const cacheDir = makeTempDir(context);
  const key = toArtefactKey(written.model.manifest, version);
  await compile(written, path.join(cacheDir, `small-1-${key}`));
  assert.equal((await findArtefact(written.model, cacheDir, version)).kind, 'compiled');
  assert.equal((await findArtefact(written.model, makeTempDir(context), version)).kind, 'none');
});

test('other_weights_normalisation_maps_or_tensorflow_make_an_artefact_stale', async (context) => {
  const written = writeSmall(context);
  await compileFound(written);
  const { model } = written;
  assert.equal((await findArtefact(model, '/nowhere', '9.9.9')).kind, 'none');
  const others = [
    { ...model.manifest, files: writeSmall(context, [1, 2, 3, 4, 5, 6, 7, 8, 9]).model.manifest.files },
    { ...model.manifest, input: { ...model.manifest.input, normalise: { scale: 1, offset: 0 } } },
    { ...model.manifest, output: { ...model.manifest.output, activation: 'none' as const } },
    { ...model.manifest, output: { ...model.manifest.output, map: { tensor: 'mean', width: 1, height: 1 } } },
  ];
  for (const manifest of others) {
    const found = await findArtefact({ ...model, manifest }, '/nowhere', version);
    assert.deepEqual(found, { kind: 'none', faults: [] });
  }
  const policy = toManifest(JSON.stringify({ ...model.manifest, policy: { a: { reject: 0.5 } } }));
  assert.equal((await findArtefact({ ...model, manifest: policy }, '/nowhere', version)).kind, 'compiled');
});

test('a_damaged_graph_is_skipped_and_reported', async (context) => {
  const written = writeSmall(context);
  const file = path.join(await compileFound(written), 'saved_model.pb');
  writeFileSync(file, readFileSync(file).subarray(0, 100));
  const found = await findArtefact(written.model, '/nowhere', version);
  assert.equal(found.kind, 'none');
  assert.match(found.faults.join(), /saved_model\.pb: its hash is/);
});

test('a_damaged_artefact_json_is_skipped_and_reported', async (context) => {
  const written = writeSmall(context);
  const file = path.join(await compileFound(written), 'artefact.json');
  const whole = JSON.parse(readFileSync(file, 'utf8')) as object;
  const altered = [{ usefulBatch: '1' }, { files: null }, { kind: 'else' }].map((change) =>
    JSON.stringify({ ...whole, ...change }),
  );
  for (const damage of ['{', '{"kind":"compiled"}', '', 'null', '1', ...altered]) {
    writeFileSync(file, damage);
    const found = await findArtefact(written.model, '/nowhere', version);
    assert.equal(found.kind, 'none');
    assert.equal(found.faults.length, 1);
  }
});

test('a_refusal_is_remembered_with_its_reason', async (context) => {
  const written = writeSmall(context);
  const key = toArtefactKey(written.model.manifest, version);
  const dir = path.join(written.model.dir, 'compiled');
  await writeArtefact(dir, { kind: 'refused', key, reason: 'it is random' }, undefined);
  const found = await findArtefact(written.model, '/nowhere', version);
  assert.deepEqual(found, { kind: 'refused', reason: 'it is random', faults: [] });
});

test('writers_at_the_same_time_leave_one_whole_artefact_and_nothing_else', async (context) => {
  const written = writeSmall(context);
  const outcome = await compile(written);
  assert.ok(outcome.kind === 'compiled');
  const { dir, artefact } = outcome;
  // Graphs differ, so that mixing the files of two writers gives a wrong hash.
  const graphs = Array.from({ length: 8 }, (_, index) => new Uint8Array(100_000).fill(index));
  await Promise.all(
    graphs.map((graph) => writeArtefact(dir, { ...artefact, graphHash: toFileHash(Buffer.from(graph)) }, graph)),
  );
  const found = await findArtefact(written.model, '/nowhere', version);
  assert.deepEqual([found.kind, found.faults], ['compiled', []]);
  const left = readdirSync(written.model.dir).filter((name) => name.startsWith('compiled'));
  assert.deepEqual(left, ['compiled']);
  assert.deepEqual(readdirSync(dir).sort(), ['artefact.json', 'saved_model.pb']);
});

test('an_artefact_that_can_not_be_written_leaves_the_old_one', async (context) => {
  const written = writeSmall(context);
  const outcome = await compile(written);
  assert.ok(outcome.kind === 'compiled');
  // A value that JSON can't represent fails after the folder was created.
  const broken = { ...outcome.artefact, nodes: 1n } as unknown as typeof outcome.artefact;
  await assert.rejects(writeArtefact(outcome.dir, broken, new Uint8Array(1)), /BigInt/);
  assert.equal((await findArtefact(written.model, '/nowhere', version)).kind, 'compiled');
  const left = readdirSync(written.model.dir).filter((name) => name.startsWith('compiled'));
  assert.deepEqual(left, ['compiled']);
});

test('a_model_whose_weights_are_not_numbers_is_broken_not_refused', async (context) => {
  const written = writeSmall(context, [NaN, 1, 1, 1, 1, 1, 1, 1, 1]);
  await assert.rejects(compile(written), /not a number/);
});
