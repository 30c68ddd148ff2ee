import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import type { Tensor3D } from '@tensorflow/tfjs-core';
import { addModel } from '../../src/compile/add-model.ts';
import { readDataModule } from '../../src/compile/data-module.ts';
import { type Preset, presets, unpackPreset } from '../../src/compile/presets.ts';
import { loadCompiledModel } from '../../src/inference/engines/compiled-model.ts';
import { loadOriginalModel } from '../../src/inference/engines/original-model.ts';
import { loadModelFiles } from '../../src/model/model-files.ts';
import { makeNumbers, startTensorFlow } from '../fixtures/compile-models.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

/** As far as nsfwjs is used here. */
interface NsfwPackage {
  load(
    name: string,
    options: { modelDefinitions: unknown[] },
  ): Promise<{
    classify(picture: Tensor3D): Promise<{ className: string; probability: number }[]>;
    dispose(): void;
  }>;
}

const require = createRequire(import.meta.url);
const nsfw = getPreset('nsfwjs');

function getPreset(name: string): Preset {
  const preset = presets.get(name);
  assert.ok(preset);
  return preset;
}

/** Finds the folder of an installed package; without it the test is skipped, unless IMAGE_CHECK_REQUIRE is `all`. */
function findInstalled(context: TestContext, name: string): string | undefined {
  const dirs = (require.resolve.paths(name) ?? []).map((folder) => path.join(folder, name));
  const dir = dirs.find((found) => existsSync(path.join(found, 'package.json')));
  if (dir !== undefined) return dir;
  const reason = `the package ${name} is not installed`;
  assert.notEqual(process.env['IMAGE_CHECK_REQUIRE'], 'all', reason);
  context.skip(reason);
  return undefined;
}

/** Smooth waves of colour, uint8 `[224, 224, 3]`. */
function makePicture(seed: number): Uint8Array {
  const [a = 0, b = 0, c = 0] = makeNumbers(3, seed);
  return Uint8Array.from({ length: 224 * 224 * 3 }, (_, at) => {
    const pixel = Math.floor(at / 3);
    const wave = Math.sin((pixel % 224) * 0.05 * a + Math.floor(pixel / 224) * 0.05 * b + (at % 3) * (c + 2) + seed);
    return Math.round((wave + 1) * 127.5);
  });
}

/** Writes a package of a preset's shape with other content. */
function writePackage(context: TestContext, files: Readonly<Record<string, string>>): string {
  const dir = makeTempDir(context);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    writeFileSync(path.join(dir, name), text);
  }
  return dir;
}

function toTopology(paths: readonly unknown[]): string {
  return `module.exports = ${JSON.stringify({ modelTopology: {}, weightsManifest: [{ paths, weights: [] }] })};`;
}

test('the_scores_of_nsfwjs_are_its_own_classification_of_the_same_pixels', async (context) => {
  const packageDir = findInstalled(context, 'nsfwjs');
  if (packageDir === undefined) return;
  const tf = await startTensorFlow();
  const source = await unpackPreset(nsfw, packageDir);
  context.after(() => {
    rmSync(source, { recursive: true, force: true });
  });
  const { model, outcome } = await addModel({
    ...{ source, modelsDir: makeTempDir(context), name: nsfw.name, version: '1', choices: nsfw.choices, golden: [] },
    limits: { maxPixels: 1e6, decodeTimeoutMs: 5000, maxDecodeBytes: Infinity },
    compile: { cacheDir: makeTempDir(context), environment: process.env },
  });
  assert.ok(outcome.kind === 'compiled', 'it is served compiled');
  const compiled = await loadCompiledModel(model, path.join(model.dir, 'compiled'));
  const original = await loadOriginalModel(tf, model, await loadModelFiles(model));
  const nsfwjs = require(path.join(packageDir, 'dist/cjs/core.js')) as NsfwPackage;
  const { MobileNetV2Model } = require(path.join(packageDir, 'dist/cjs/models/mobilenet_v2.js')) as {
    MobileNetV2Model: unknown;
  };
  const theirs = await nsfwjs.load('MobileNetV2', { modelDefinitions: [MobileNetV2Model] });
  let worst = 0;
  const winners = new Set<string>();
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const pixels = makePicture(seed);
    const picture = tf.tensor3d(pixels, [224, 224, 3], 'int32');
    const classes = await theirs.classify(picture);
    picture.dispose();
    winners.add(classes[0]?.className ?? '');
    for (const form of [compiled, original]) {
      const scores = await form.run(pixels.slice(), 1);
      for (const [index, label] of model.manifest.output.labels.entries()) {
        const expected = classes.find(({ className }) => className.toLowerCase() === label)?.probability ?? NaN;
        const difference = Math.abs(expected - (scores[index] ?? NaN));
        assert.ok(difference < 1e-3, `${form.form}, picture ${String(seed)}, ${label}: ${String(difference)}`);
        worst = Math.max(worst, difference);
      }
    }
  }
  assert.ok(winners.size > 1, 'the pictures are not all the same to it');
  context.diagnostic(`largest difference ${worst.toExponential(1)}`);
  for (const loaded of [compiled, original, theirs]) loaded.dispose();
});

test('the_labels_of_nsfwjs_are_in_the_order_of_its_classes', (context) => {
  const packageDir = findInstalled(context, 'nsfwjs');
  if (packageDir === undefined) return;
  const { NSFW_CLASSES: classes } = require(path.join(packageDir, 'dist/cjs/nsfw_classes.js')) as {
    NSFW_CLASSES: Record<string, string>;
  };
  const names = Object.values(classes).map((name) => name.toLowerCase());
  assert.deepEqual(nsfw.choices.labels, names);
  for (const label of Object.keys(nsfw.choices.policy ?? {})) assert.ok(names.includes(label), label);
});

test('shards_are_unpacked_from_base64', async (context) => {
  const shard = Buffer.from([0, 255, 128, 7]);
  const packageDir = writePackage(context, {
    [nsfw.topology]: toTopology(['group1-shard1of1']),
    [nsfw.toShard('group1-shard1of1')]: `module.exports = '${shard.toString('base64')}';`,
  });
  const dir = await unpackPreset(nsfw, packageDir);
  context.after(() => {
    rmSync(dir, { recursive: true, force: true });
  });
  assert.deepEqual(readFileSync(path.join(dir, 'group1-shard1of1')), shard);
  const model = JSON.parse(readFileSync(path.join(dir, 'model.json'), 'utf8')) as { weightsManifest: unknown };
  assert.deepEqual(model.weightsManifest, [{ paths: ['group1-shard1of1'], weights: [] }]);
});

test('a_missing_file_of_the_package_is_named', async (context) => {
  const empty = makeTempDir(context);
  await assert.rejects(unpackPreset(nsfw, empty), /mobilenet_v2\/model\.min\.js: can't be read: ENOENT/);
  const half = writePackage(context, { [nsfw.topology]: toTopology(['group1-shard1of1']) });
  await assert.rejects(unpackPreset(nsfw, half), /group1-shard1of1\.min\.js: can't be read: ENOENT/);
});

test('what_is_no_data_is_refused', async (context) => {
  const refuse = async (text: string, message: RegExp): Promise<void> => {
    await assert.rejects(unpackPreset(nsfw, writePackage(context, { [nsfw.topology]: text })), message);
  };
  await refuse('module.exports = {', /model\.min\.js: exports more than data/);
  await refuse('', /model\.min\.js: exports no data/);
  await refuse('module.exports = [];', /model\.min\.js: holds no model with weights/);
  await refuse(toTopology([]), /holds no model with weights/);
  await refuse(toTopology(['../../../out']), /holds no model with weights/);
  await refuse(toTopology([7]), /holds no model with weights/);
  const files = {
    [nsfw.topology]: toTopology(['group1-shard1of1']),
    [nsfw.toShard('group1-shard1of1')]: 'module.exports = { not: "text" };',
  };
  await assert.rejects(unpackPreset(nsfw, writePackage(context, files)), /group1-shard1of1\.min\.js: holds no weights/);
});

test('nothing_of_the_package_is_run', async (context) => {
  const marker = path.join(makeTempDir(context), 'made-by-a-package');
  const write = `require('node:fs').writeFileSync(${JSON.stringify(marker)}, '')`;
  for (const text of [
    `${write}; ${toTopology([])}`,
    `module.exports = { a: ${write} };`,
    `module.exports = [${write}];`,
    `module.exports = { get weightsManifest() { ${write} } };`,
  ]) {
    const packageDir = writePackage(context, { [nsfw.topology]: text });
    await assert.rejects(unpackPreset(nsfw, packageDir), /exports more than data|holds no model/, text);
  }
  assert.ok(!existsSync(marker));
});

test('minified_and_plain_data_are_read_alike', () => {
  const minified = `!function(e){module.exports=e()}(function(){n[_]={exports:{}};a.exports={a:!0,"b-c":[.5,-.25,-0,1e3,5e-4],1:null,d:!1,e:void 0,f:"x\\"y,z:1",g:'it\\'s "g"',h:{}}},{})`;
  const plain = `module.exports = {
    a: true, 'b-c': [0.5, -0.25, 0, 1000, 0.0005], 1 : null,
    d: false, e: null, f: "x\\"y,z:1", g: 'it\\'s "g"', h: {}
  };`;
  const data = {
    a: true,
    'b-c': [0.5, -0.25, 0, 1000, 0.0005],
    1: null,
    d: false,
    e: null,
    f: 'x"y,z:1',
    g: 'it\'s "g"',
    h: {},
  };
  assert.deepEqual(readDataModule(minified), data);
  assert.deepEqual(readDataModule(plain), data);
});

test('damaged_data_is_refused', () => {
  const cases: [string, RegExp][] = [
    ['', /exports no data/],
    ['module.exports = load();', /exports no data/],
    ['module.exports = "abc', /ends inside a string/],
    ['module.exports = {a: 1', /exports more than data/],
    ['module.exports = {a: b}', /exports more than data: b/],
    ['module.exports = {a: 1 + 1}', /exports more than data: \+ 1/],
    ['module.exports = {a 1}', /exports more than data: a/],
    ['module.exports = {"a": 1, 2}', /JSON/],
    ['module.exports = {[x]: 1}', /JSON|more than data/],
  ];
  for (const [text, message] of cases) assert.throws(() => readDataModule(text), message, text);
});
