import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import type { Tensor3D } from '@tensorflow/tfjs-core';
import sharp, { type Sharp } from 'sharp';
import { projectRoot } from '../../src/cli/project.ts';
import { decodeImage } from '../../src/image/decode.ts';
import { loadCompiledModel } from '../../src/inference/engines/compiled-model.ts';
import { loadOriginalModel } from '../../src/inference/engines/original-model.ts';
import { loadModelFiles } from '../../src/model/model-files.ts';
import { type AddedModel, addModel } from '../../src/model-import/add-model.ts';
import { readDataModule } from '../../src/model-import/data-module.ts';
import { describeNetwork } from '../../src/model-import/describe-network.ts';
import { inspectModel } from '../../src/model-import/inspect.ts';
import { findOutput, toManifestInput } from '../../src/model-import/model-choices.ts';
import { type Preset, presets, unpackPreset } from '../../src/model-import/presets.ts';
import { makeNumbers, startTensorFlow } from '../fixtures/compile-models.ts';
import { loadNsfwjs } from '../fixtures/nsfwjs.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { hasNativeJpeg } from '../image/native-library.ts';

const require = createRequire(import.meta.url);
const limits = { maxPixels: 1e7, decodeTimeoutMs: 30_000, maxDecodeBytes: Infinity };
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

/** Waves of colour, from smooth ones to some that are finer than what is left of them at 224 × 224. */
function drawWaves(seed: number, width: number, height: number): Sharp {
  const [a = 0, b = 0, c = 0] = makeNumbers(3, seed);
  const pixels = Buffer.from({ length: width * height * 3 });
  for (let at = 0; at < pixels.length; at += 1) {
    const pixel = Math.floor(at / 3);
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    const smooth = Math.sin(x * 0.05 * a + y * 0.05 * b + (at % 3) * (c + 2) + seed);
    const fine = Math.sin((x * x) / width + (seed * y * y) / height);
    pixels[at] = Math.round((smooth + fine + 2) * 63.75);
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

/** Photographs of the shipped model, and what aliases most. */
async function listPictures(): Promise<[string, Buffer][]> {
  const folder = path.join(projectRoot, 'models', 'quality', '2', 'golden');
  const photos = readdirSync(folder).map((file): [string, Buffer] => [file, readFileSync(path.join(folder, file))]);
  const drawn: [string, Buffer][] = [];
  for (const [seed, width, height] of [
    [1, 224, 224],
    [2, 224, 224],
    [3, 1280, 960],
    [4, 2000, 1500],
    [5, 300, 1001],
  ] as const) {
    const waves = drawWaves(seed, width, height);
    drawn.push([`waves ${String(seed)}.png`, await waves.clone().png().toBuffer()]);
    drawn.push([`waves ${String(seed)}.jpg`, await waves.clone().jpeg({ quality: 95 }).toBuffer()]);
  }
  return [...photos, ...drawn];
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

/** Adds the model of nsfwjs to a folder of its own. */
async function addNsfw(context: TestContext, packageDir: string): Promise<AddedModel> {
  const source = await unpackPreset(nsfw, packageDir);
  context.after(() => {
    rmSync(source, { recursive: true, force: true });
  });
  return addModel({
    ...{ source, modelsDir: makeTempDir(context), name: nsfw.name, version: '1', choices: nsfw.choices, golden: [] },
    limits,
    compile: { cacheDir: makeTempDir(context), environment: process.env },
  });
}

/** @returns the largest difference of a score */
function compareScores(
  labels: readonly string[],
  scores: Float32Array,
  theirs: ReadonlyMap<string, number>,
  about: string,
): number {
  const differences = labels.map((label, index) => Math.abs((theirs.get(label) ?? NaN) - (scores[index] ?? NaN)));
  const worst = Math.max(...differences);
  assert.ok(worst < 0.03, `${about}: ${String(worst)}`);
  return worst;
}

function toTop(scores: Iterable<readonly [string, number]>): string {
  return [...scores].reduce((best, next) => (next[1] > best[1] ? next : best))[0];
}

test('the_scores_of_nsfwjs_are_its_own_classification_of_the_same_picture', async (context) => {
  const packageDir = findInstalled(context, 'nsfwjs');
  if (packageDir === undefined || !hasNativeJpeg(context)) return;
  const tf = await startTensorFlow();
  const { model, outcome } = await addNsfw(context, packageDir);
  assert.ok(outcome.kind === 'compiled', 'it is served compiled');
  const compiled = await loadCompiledModel(model, path.join(model.dir, 'compiled'));
  const original = await loadOriginalModel(tf, model, await loadModelFiles(model));
  const theirs = await loadNsfwjs(packageDir, 'nsfwjs');
  const { labels } = model.manifest.output;
  const tops = new Set<string>();
  let worst = 0;
  for (const [about, bytes] of await listPictures()) {
    const decoded = tf.node.decodeImage(bytes, 3);
    assert.ok(decoded.rank === 3);
    const classes = await theirs.classify(decoded as Tensor3D);
    decoded.dispose();
    tops.add(toTop(classes));
    const raster = await decodeImage(bytes, model.manifest.input, limits);
    for (const form of [compiled, original]) {
      const scores = await form.run(raster.slice(), 1);
      worst = Math.max(worst, compareScores(labels, scores, classes, `${form.form}, ${about}`));
      assert.equal(toTop(labels.map((label, index) => [label, scores[index] ?? NaN] as const)), toTop(classes), about);
    }
  }
  assert.ok(tops.size > 1, 'the pictures are not all the same to it');
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

test('every_preset_of_nsfwjs_is_a_whole_model_with_its_own_input', async (context) => {
  const packageDir = findInstalled(context, 'nsfwjs');
  if (packageDir === undefined) return;
  const tf = await startTensorFlow();
  for (const [name, format, side] of [
    ['nsfwjs', 'tfjs-layers', 224],
    ['nsfwjs/mobilenet_v2_mid', 'tfjs-graph', 224],
    ['nsfwjs/inception_v3', 'tfjs-layers', 299],
  ] as const) {
    const { choices } = getPreset(name);
    const dir = await unpackPreset(getPreset(name), packageDir);
    context.after(() => {
      rmSync(dir, { recursive: true, force: true });
    });
    assert.equal((await inspectModel(dir)).format, format, name);
    const network = await describeNetwork(tf, dir, format, {});
    const { width, height, kernel, coordinates, normalise } = toManifestInput(network, choices);
    assert.deepEqual([width, height, kernel, coordinates], [side, side, 'bilinear', 'align-corners'], name);
    assert.equal(normalise.scale, 1 / 255);
    assert.equal(findOutput(network, choices).shape?.[1] ?? 5, 5, name);
  }
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
