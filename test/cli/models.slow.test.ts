import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { startLauncher } from '../fixtures/service.ts';
import { makeSingleImageGraph } from '../fixtures/single-image-graph.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

interface Ended {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

async function runModels(context: TestContext, dir: string, args: readonly string[]): Promise<Ended> {
  const started = startLauncher(context, { args: ['models', ...args, '--models', dir] });
  const code = await started.ended;
  return { code, stdout: started.stdout(), stderr: started.stderr() };
}

/** A model that can't be run in batches, so it isn't compiled. */
async function writeSingle(modelsDir: string): Promise<string> {
  const files = makeSingleImageGraph();
  return writeColourModel(modelsDir, { name: 'single', files, manifest: { format: 'tfjs-graph' } });
}

/** What `models add` copies from. */
async function writeSource(context: TestContext): Promise<string> {
  const dir = await writeColourModel(makeTempDir(context));
  rmSync(path.join(dir, 'manifest.json'));
  return dir;
}

function assertOneLine({ stderr }: Ended, message: RegExp): void {
  const lines = stderr
    .trimEnd()
    .split('\n')
    .filter((line) => !/ (I|W) tensorflow\//.test(line));
  assert.match(lines.at(-1) ?? '', message);
  assert.doesNotMatch(stderr, /^ {4}at /m, 'no stack');
}

test('models_verify_runs_golden_images_and_names_what_is_broken', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir, { name: 'mine' });
  const good = await runModels(context, dir, ['verify', '--engine', 'wasm']);
  assert.equal(good.code, 0, good.stderr);
  assert.match(good.stdout, /^ok .*mine@1 .*1 golden images/);
  await writeColourModel(dir, { name: 'wrong', goldenScores: [0, 0, 1] });
  writeFileSync(path.join(await writeColourModel(dir, { name: 'short' }), 'weights.bin'), '');
  const bad = await runModels(context, dir, ['verify', '--engine', 'wasm']);
  assert.equal(bad.code, 1);
  assert.match(bad.stdout, /^ok .*mine@1/m);
  assert.match(bad.stdout, /^FAIL .*wrong@1 .*golden\/red\.png: scores differ/m);
  assert.match(bad.stdout, /^FAIL .*short@1 .*weights\.bin: its hash/m);
});

test('models_list_shows_every_version_its_policies_and_its_form', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir, { manifest: { policies: { strict: { red: { reject: 0.5 } } } } });
  await writeColourModel(dir, { version: '2', manifest: { format: 'onnx' } });
  await writeSingle(dir);
  rmSync(path.join(await writeColourModel(dir, { name: 'torn' }), 'weights.bin'));
  await runModels(context, dir, ['compile', 'colour@1', 'single']);
  const { code, stdout } = await runModels(context, dir, ['list']);
  assert.equal(code, 0);
  assert.match(stdout, /^model +format +input +engine +size +load ms +labels +policies +form$/m);
  assert.match(
    stdout,
    /^colour@1 +tfjs-layers +8x8 +tensorflow +0\.00 MB +\d+ +red,green,blue +default,strict +compiled$/m,
  );
  assert.match(stdout, /^colour@2 .* broken: manifest\.json: format/m);
  assert.match(stdout, /^single@1 .* - +red,green,blue +default +op by op \(not compiled: .+\)$/m);
  assert.match(stdout, /^torn@1 .* broken: weights\.bin: is missing$/m);
  const starts = [...stdout.matchAll(/^\S+ +(?=tfjs-|format)/gm)].map(([start]) => start.length);
  assert.equal(starts.length, 4);
  assert.equal(new Set(starts).size, 1, 'aligned');
});

test('models_list_on_wasm_tells_what_needs_tensorflow', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir);
  await writeColourModel(dir, { name: 'saved', manifest: { format: 'tf-savedmodel' } });
  const { stdout } = await runModels(context, dir, ['list', '--engine', 'wasm']);
  assert.match(stdout, /^colour@1 .* wasm .* op by op$/m);
  assert.match(stdout, /^saved@1 .* broken: a tf-savedmodel needs tensorflow$/m);
});

test('models_list_tells_of_a_damaged_artefact', async (context) => {
  const dir = makeTempDir(context);
  const model = await writeColourModel(dir);
  assert.match((await runModels(context, dir, ['list'])).stdout, /op by op \(not compiled yet\)$/m);
  await runModels(context, dir, ['compile']);
  writeFileSync(path.join(model, 'compiled', 'saved_model.pb'), 'x');
  assert.match(
    (await runModels(context, dir, ['list'])).stdout,
    /its artefact is damaged: .*saved_model\.pb: its hash/m,
  );
  const { code, stdout } = await runModels(context, dir, ['compile']);
  assert.equal(code, 0);
  assert.match(stdout, /^colour@1 {2}compiled in \d+ ms/m, 'it is repaired');
});

test('models_compile_compiles_once_and_again_when_forced_or_changed', async (context) => {
  const dir = makeTempDir(context);
  const model = await writeColourModel(dir);
  const first = await runModels(context, dir, ['compile']);
  assert.equal(first.code, 0, first.stderr);
  assert.match(
    first.stdout,
    /^colour@1 {2}compiled in \d+ ms: \d+ nodes, useful batch \d+, loads in \d+ ms, scores differ by/,
  );
  assert.ok(existsSync(path.join(model, 'compiled', 'saved_model.pb')));
  assert.match((await runModels(context, dir, ['compile'])).stdout, /^colour@1 {2}compiled already: /);
  assert.match((await runModels(context, dir, ['compile', '--force'])).stdout, /^colour@1 {2}compiled in /);
  const manifest = path.join(model, 'manifest.json');
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"activation": "none"', '"activation": "sigmoid"'));
  assert.match((await runModels(context, dir, ['compile'])).stdout, /^colour@1 {2}compiled in /, 'stale');
});

test('models_compile_goes_on_past_refused_and_broken_models', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir);
  await writeSingle(dir);
  const refused = await runModels(context, dir, ['compile']);
  assert.equal(refused.code, 0, 'a refused model is served');
  assert.match(refused.stdout, /^single@1 {2}not compiled, served as it came \(op by op\): .+$/m);
  assert.match((await runModels(context, dir, ['compile', 'single'])).stdout, /^single@1 {2}not compiled/);
  writeFileSync(path.join(await writeColourModel(dir, { name: 'a-torn' }), 'weights.bin'), 'x');
  await writeColourModel(dir, { name: 'b-odd', manifest: { format: 'onnx' } });
  const { code, stdout } = await runModels(context, dir, ['compile']);
  assert.equal(code, 1);
  assert.match(stdout, /^a-torn@1 {2}broken: weights\.bin: its hash is/m);
  assert.match(stdout, /^b-odd@1 {2}broken: manifest\.json: format/m);
  assert.match(stdout, /^colour@1 {2}compiled already/m);
});

test('models_compile_needs_a_known_name_and_tensorflow', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir);
  const unknown = await runModels(context, dir, ['compile', 'color']);
  assert.equal(unknown.code, 78);
  assertOneLine(unknown, /^image-check: no model color; there are: colour$/);
  const wasm = await runModels(context, dir, ['compile', '--engine', 'wasm']);
  assert.equal(wasm.code, 78);
  assertOneLine(wasm, /^image-check: compiling needs native TensorFlow, but model\.engine is wasm$/);
});

test('models_add_prints_what_it_found_and_what_is_left_to_do', async (context) => {
  const dir = makeTempDir(context);
  const source = await writeSource(context);
  const added = await runModels(context, dir, ['add', source, '--name', 'mine@3']);
  assert.equal(added.code, 0, added.stderr);
  assert.match(added.stdout, /^model +mine@3$/m);
  assert.match(added.stdout, /^format +tfjs-layers, 2 files/m);
  assert.match(added.stdout, /^input +\S+ float32 \[n, 8, 8, 3\]$/m);
  assert.match(added.stdout, /^output +\S+ float32 \[n, 3\]$/m);
  assert.match(added.stdout, /^form +compiled now: /m);
  assert.match(added.stdout, /output\.labels are placeholders/);
  assert.match(added.stdout, /policy is empty/);
  assert.match(added.stdout, /normalise is a guess/);
  const verified = await runModels(context, dir, ['verify']);
  assert.match(verified.stdout, /^ok {4}mine@3 {2}1 golden images/m);
});

test('models_add_takes_what_the_user_knows', async (context) => {
  const dir = makeTempDir(context);
  const known = [
    '--labels',
    'r, g,b',
    '--scale',
    '1/127.5',
    '--offset=-1',
    '--activation',
    'sigmoid',
    '--resize',
    'long-side',
  ];
  const { stdout } = await runModels(context, dir, ['add', await writeSource(context), '--name', 'mine', ...known]);
  const manifest = JSON.parse(readFileSync(path.join(dir, 'mine', '1', 'manifest.json'), 'utf8')) as {
    input: { normalise: unknown; resize: string };
    output: { labels: string[]; activation: string };
  };
  assert.deepEqual(manifest.input.normalise, { scale: 1 / 127.5, offset: -1 });
  assert.equal(manifest.input.resize, 'long-side');
  assert.deepEqual(manifest.output.labels, ['r', 'g', 'b']);
  assert.equal(manifest.output.activation, 'sigmoid');
  assert.doesNotMatch(stdout, /placeholders|a guess|outside 0…1/);
});

test('models_add_refuses_in_one_line_and_leaves_nothing', async (context) => {
  const dir = makeTempDir(context);
  const source = await writeSource(context);
  const cases: [string[], RegExp][] = [
    [[path.join(source, 'gone'), '--name', 'mine'], /gone: can't be read: ENOENT/],
    [[source], /--name must say what the model is called/],
    [[source, '--name', '../mine'], /--name \.\.\/mine: must be of letters/],
    [[source, '--name', 'mine@x'], /a version is a whole number/],
    [[source, '--name', 'mine', '--labels', 'a,b'], /answers 3 scores, 2 labels are given/],
    [[source, '--name', 'mine', '--engine', 'wasm'], /adding a model needs native TensorFlow/],
    [['npm:left-pad'], /no model is known in the package left-pad; there are: nsfwjs/],
    [['npm:nsfwjs', '--from', source], /--from .*: has no package\.json of nsfwjs/],
  ];
  for (const [args, message] of cases) {
    const ended = await runModels(context, dir, ['add', ...args]);
    assert.equal(ended.code, 78, args.join(' '));
    assertOneLine(ended, message);
    assert.deepEqual(readdirSync(dir), [], args.join(' '));
  }
});

test('models_add_refuses_values_that_do_not_fit', async (context) => {
  const dir = makeTempDir(context);
  for (const flag of ['--width=0', '--scale=x', '--scale=1,2', '--scale=1/0', '--labels=a,,b', '--activation=tanh']) {
    const { code, stderr } = await runModels(context, dir, ['add', dir, '--name', 'mine', flag]);
    assert.equal(code, 78, flag);
    assert.match(stderr, new RegExp(`option '${flag.split('=')[0] ?? ''} .* is invalid`), flag);
  }
});

test('models_add_leaves_a_version_that_is_there', async (context) => {
  const dir = makeTempDir(context);
  const model = await writeColourModel(dir);
  const before = readFileSync(path.join(model, 'manifest.json'));
  const ended = await runModels(context, dir, ['add', await writeSource(context), '--name', 'colour']);
  assert.equal(ended.code, 78);
  assertOneLine(ended, /colour\/1: already exists; it is left unchanged$/);
  assert.deepEqual(readFileSync(path.join(model, 'manifest.json')), before);
  assert.deepEqual(readdirSync(path.join(dir, 'colour')), ['1']);
});

test('a_package_that_is_damaged_is_named', async (context) => {
  const dir = makeTempDir(context);
  const from = makeTempDir(context);
  writeFileSync(path.join(from, 'package.json'), '{"name":"nsfwjs"}');
  mkdirSync(path.join(from, 'dist/models/mobilenet_v2'), { recursive: true });
  writeFileSync(
    path.join(from, 'dist/models/mobilenet_v2/model.min.js'),
    'module.exports={weightsManifest:[{paths:["a"]',
  );
  const ended = await runModels(context, dir, ['add', 'npm:nsfwjs', '--from', from]);
  assert.equal(ended.code, 78);
  assertOneLine(ended, /^image-check: .*model\.min\.js: exports more than data/);
  assert.deepEqual(readdirSync(dir), []);
});
