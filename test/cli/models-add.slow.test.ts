import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { toLayersFiles } from '../fixtures/layers-files.ts';
import { startLauncher } from '../fixtures/service.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

interface Ended {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

interface ManifestJson {
  readonly input: { readonly resize: string; readonly normalise: unknown };
  readonly output: { readonly kind: string; readonly labels: readonly string[] };
  readonly policy: unknown;
}

async function runModels(context: TestContext, dir: string, args: readonly string[]): Promise<Ended> {
  const started = startLauncher(context, { args: ['models', ...args, '--models', dir] });
  const code = await started.ended;
  return { code, stdout: started.stdout(), stderr: started.stderr() };
}

function readManifest(dir: string): ManifestJson {
  return JSON.parse(readFileSync(path.join(dir, 'mine', '1', 'manifest.json'), 'utf8')) as ManifestJson;
}

/** What `models add` copies from: the mean red, green and blue. */
async function writeSource(context: TestContext): Promise<string> {
  const dir = await writeColourModel(makeTempDir(context));
  rmSync(path.join(dir, 'manifest.json'));
  return dir;
}

const teachable = {
  ...{ tfjsVersion: '1.3.1', tmVersion: '2.4.7', packageVersion: '0.8.4', packageName: '@teachablemachine/image' },
  ...{ timeStamp: '2024-01-01T00:00:00.000Z', userMetadata: {}, modelName: 'my-image-model', imageSize: 8 },
  labels: ['Apple', 'Pear', 'Nothing'],
};

test('a_model_of_teachable_machine_tells_its_labels_and_input', async (context) => {
  const dir = makeTempDir(context);
  const source = await writeSource(context);
  writeFileSync(path.join(source, 'metadata.json'), JSON.stringify(teachable));
  const added = await runModels(context, dir, ['add', source, '--name', 'mine']);
  assert.equal(added.code, 0, added.stderr);
  const { input, output } = readManifest(dir);
  assert.deepEqual(output.labels, teachable.labels);
  assert.equal(output.kind, 'single-label');
  assert.equal(input.resize, 'cover');
  assert.deepEqual(input.normalise, { scale: 1 / 127, offset: -1 });
  assert.match(added.stdout, /^metadata +metadata\.json of Teachable Machine/m);
  assert.doesNotMatch(added.stdout, /placeholders|a guess/);
});

test('what_the_user_says_stands_above_teachable_machine', async (context) => {
  const dir = makeTempDir(context);
  const source = await writeSource(context);
  writeFileSync(path.join(source, 'metadata.json'), JSON.stringify(teachable));
  const said = ['--labels', 'a,b,c', '--resize', 'stretch', '--scale', '1/255', '--offset', '0'];
  const { code } = await runModels(context, dir, ['add', source, '--name', 'mine', ...said]);
  assert.equal(code, 0);
  const { input, output } = readManifest(dir);
  assert.deepEqual([input.resize, input.normalise], ['stretch', { scale: 1 / 255, offset: 0 }]);
  assert.deepEqual(output.labels, ['a', 'b', 'c']);
});

test('a_metadata_file_of_another_program_is_left_alone_and_a_broken_one_named', async (context) => {
  const dir = makeTempDir(context);
  const source = await writeSource(context);
  writeFileSync(path.join(source, 'metadata.json'), '{"labels":["a","b","c"],"author":"me"}');
  assert.equal((await runModels(context, dir, ['add', source, '--name', 'mine'])).code, 0);
  assert.deepEqual(readManifest(dir).output.labels, ['label0', 'label1', 'label2']);
  writeFileSync(path.join(source, 'metadata.json'), '{"labels":');
  const broken = await runModels(context, dir, ['add', source, '--name', 'mine@2']);
  assert.equal(broken.code, 78);
  assert.match(broken.stderr, /metadata\.json: is not JSON/);
});

test('labels_come_from_a_file_and_thresholds_from_the_command_line', async (context) => {
  const dir = makeTempDir(context);
  const source = await writeSource(context);
  const file = path.join(source, 'labels.txt');
  writeFileSync(file, 'red\ngreen\nblue\n');
  const said = ['--labels-file', file, '--policy', 'red=0.5,0.9', '--policy', 'blue=0.7'];
  const { code, stdout, stderr } = await runModels(context, dir, ['add', source, '--name', 'mine', ...said]);
  assert.equal(code, 0, stderr);
  const { output, policy } = readManifest(dir);
  assert.deepEqual(output.labels, ['red', 'green', 'blue']);
  assert.deepEqual(policy, { red: { review: 0.5, reject: 0.9 }, blue: { review: 0.7 } });
  assert.match(stdout, /^policy +red, blue$/m);
  assert.doesNotMatch(stdout, /policy is empty/);
});

test('labels_and_thresholds_that_do_not_fit_are_refused_and_leave_nothing', async (context) => {
  const dir = makeTempDir(context);
  const source = await writeSource(context);
  const file = path.join(source, 'labels.txt');
  writeFileSync(file, 'red\ngreen\n');
  const cases: [string[], RegExp][] = [
    [['--labels-file', file], /the model answers 3 scores, 2 labels are given$/m],
    [['--labels-file', file, '--labels', 'a,b,c'], /cannot be used with option '--labels <names>'/],
    [['--labels-file', path.join(source, 'gone')], /--labels-file .*gone: can't be read/],
    [['--policy', 'purple=0.5'], /policy\.purple: is not among output\.labels/],
    [['--policy', 'label0=0.5', '--policy', 'label0=0.6'], /names label0 twice/],
    [['--policy', 'label0=2'], /must be label=review,reject/],
  ];
  for (const [args, message] of cases) {
    const ended = await runModels(context, dir, ['add', source, '--name', 'mine', ...args]);
    assert.equal(ended.code, 78, args.join(' '));
    assert.match(ended.stderr, message);
    assert.deepEqual(readdirSync(dir), []);
  }
});

test('a_thousand_labels_are_short_lines_everywhere', async (context) => {
  const dir = makeTempDir(context);
  const source = makeTempDir(context);
  await tf.setBackend('cpu');
  const network = layers.sequential({
    layers: [
      layers.layers.globalAveragePooling2d({ inputShape: [8, 8, 3] }),
      layers.layers.dense({ units: 1000, activation: 'softmax' }),
    ],
  });
  for (const [name, bytes] of await toLayersFiles(network)) writeFileSync(path.join(source, name), bytes);
  const file = path.join(source, 'labels.json');
  writeFileSync(file, JSON.stringify(Array.from({ length: 1000 }, (_, index) => `class${String(index)}`)));
  const added = await runModels(context, dir, ['add', source, '--name', 'mine', '--labels-file', file]);
  assert.equal(added.code, 0, added.stderr);
  assert.match(added.stdout, /^labels +class0, .*, … 992 more$/m);
  const listed = await runModels(context, dir, ['list']);
  assert.match(listed.stdout, /^mine@1 .* class0,.*,… 992 more +default +compiled$/m);
  for (const line of `${added.stdout}${listed.stdout}`.split('\n')) assert.ok(line.length < 500, line);
});
