import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { createEngine } from '../../src/inference/engines/create-engine.ts';
import type { LoadedModel } from '../../src/inference/engines/engine.ts';
import type { EngineName } from '../../src/ipc/messages.ts';
import { toManifest } from '../../src/model/manifest.ts';
import { loadModelFiles } from '../../src/model/model-files.ts';
import type { ModelVersion } from '../../src/model/model-version.ts';
import { toVariants } from '../../src/train/evaluation/invariance.ts';
import { toVerdict } from '../../src/train/evaluation/policy-verdict.ts';
import { degradePhoto } from '../../src/train/samples/degradation.ts';
import { qualityLabels } from '../../src/train/samples/labels.ts';
import { drawLandscape } from '../../src/train/samples/landscape.ts';
import { inputShape } from '../../src/train/samples/network-input.ts';
import { type Plan, untouched } from '../../src/train/samples/plan.ts';
import { createRandom } from '../../src/train/samples/random.ts';
import { toRaster } from '../../src/train/samples/samples.ts';

const dir = path.resolve(import.meta.dirname, '../../models/quality/2');
const manifest = toManifest(readFileSync(path.join(dir, 'manifest.json'), 'utf8'));
const model: ModelVersion = { name: 'quality', version: '2', dir, manifest };
const engineNames = ['tensorflow', 'wasm'] as const;

async function loadShipped(name: EngineName, change?: (files: Map<string, Buffer>) => void): Promise<LoadedModel> {
  const files = new Map(await loadModelFiles(model));
  change?.(files);
  return (await createEngine(name)).loadModel(model, files);
}

async function score(loaded: LoadedModel, bytes: Uint8Array): Promise<Float32Array> {
  return loaded.run(await toRaster(bytes, inputShape), 1);
}

/** Measures the largest deviation from a golden score. */
async function measureGolden(loaded: LoadedModel): Promise<number> {
  const differences: number[] = [];
  for (const { image, scores } of manifest.golden) {
    const found = await score(loaded, readFileSync(path.join(dir, image)));
    differences.push(...scores.map((expected, index) => Math.abs(expected - (found[index] ?? Number.NaN))));
  }
  assert.equal(differences.length, manifest.golden.length * qualityLabels.length);
  return Math.max(...differences);
}

/** The labels that flag a picture under the policy. */
function toFlags(scores: ArrayLike<number>): string[] {
  return manifest.output.labels.filter((label, index) => (scores[index] ?? 0) >= (manifest.policy[label]?.review ?? 2));
}

async function damage(seed: number, plan: Partial<Plan>): Promise<Buffer> {
  const scene = drawLandscape(seed, 640, 480);
  const { bytes } = await degradePhoto(scene, { ...untouched, ...plan }, inputShape, createRandom(seed));
  return bytes;
}

const grain = { deviation: 40, readShare: 0.1, greyShare: 0.5, grain: 1 };
const damages: readonly (readonly [string | undefined, Partial<Plan>])[] = [
  [undefined, {}],
  ['blurry', { blur: { kind: 'disc', spread: 4 } }],
  ['blurry', { blur: { kind: 'motion', spread: 5 } }],
  ['dark', { stops: -6 }],
  ['overexposed', { stops: 5 }],
  ['low_contrast', { haze: { share: 0.2, towards: 170 } }],
  ['noisy', { noise: grain }],
  ['blocky', { saves: [{ quality: 6, scale: 1 }] }],
  ['blank', { scene: 'blank' }],
];

for (const name of engineNames) {
  test(`the_shipped_model_gives_its_golden_scores_on_${name}`, async () => {
    assert.ok(manifest.golden.length >= 4);
    const difference = await measureGolden(await loadShipped(name));
    assert.ok(difference < 1e-3, String(difference));
  });

  test(`a_batch_scores_as_its_images_do_alone_on_${name}`, async () => {
    const loaded = await loadShipped(name);
    const rasters = await Promise.all(
      manifest.golden.map(({ image }) => toRaster(readFileSync(path.join(dir, image)), inputShape)),
    );
    const scores = await loaded.run(Buffer.concat(rasters), rasters.length);
    for (const [index, expected] of manifest.golden.flatMap((golden) => golden.scores).entries()) {
      assert.ok(Math.abs((scores[index] ?? Number.NaN) - expected) < 1e-3, `score ${String(index)}`);
    }
  });

  test(`damaged_weights_miss_the_golden_scores_on_${name}`, async () => {
    const loaded = await loadShipped(name, (files) => {
      const weights = files.get('weights.bin');
      assert.ok(weights);
      files.set('weights.bin', Buffer.from(weights).fill(0, 0, weights.length / 2));
    });
    const difference = await measureGolden(loaded);
    assert.ok(!(difference < 0.05), String(difference));
  });
}

test('golden_images_get_the_labels_of_their_names', () => {
  const expected = [[], ['blurry'], ['dark'], ['overexposed'], ['noisy'], ['blocky']];
  for (const [index, { image, scores }] of manifest.golden.entries()) {
    const flags = toFlags(scores);
    const wanted = expected[index] ?? [];
    // An exposure loss may lower the contrast, too.
    assert.ok(
      wanted.every((label) => flags.includes(label)),
      `${image}: ${flags.join(', ')}`,
    );
    assert.equal(flags.length > 0, wanted.length > 0, image);
  }
  assert.equal(manifest.golden.length, expected.length);
});

test('a_drawn_landscape_passes_and_each_degradation_gets_its_label', async () => {
  const loaded = await loadShipped('tensorflow');
  for (const seed of [11, 12]) {
    for (const [label, plan] of damages) {
      const flags = toFlags(await score(loaded, await damage(seed, plan)));
      const what = `seed ${String(seed)} ${JSON.stringify(plan)}: ${flags.join(', ')}`;
      if (label === undefined) assert.deepEqual(flags, [], what);
      else assert.ok(flags.includes(label), what);
    }
  }
});

test('no_other_form_of_a_picture_changes_its_verdict', async () => {
  const loaded = await loadShipped('tensorflow');
  const judge = async (bytes: Uint8Array) => toVerdict([...(await score(loaded, bytes))], manifest);
  for (const [label, plan] of damages) {
    const bytes = await damage(11, plan);
    const verdict = await judge(bytes);
    assert.equal(verdict === 'accept', label === undefined, label);
    for (const variant of await toVariants(bytes, label === undefined)) {
      assert.equal(await judge(variant.bytes), verdict, `${label ?? 'good'} ${variant.name}`);
    }
  }
});

test('the_model_stays_small_and_names_its_labels_in_the_order_of_the_trainer', () => {
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' });
  const bytes = files.reduce((sum, file) => sum + statSync(path.join(dir, file)).size, 0);
  assert.ok(bytes < 4_000_000, `${String(bytes)} bytes`);
  assert.deepEqual(manifest.output.labels, qualityLabels);
});
