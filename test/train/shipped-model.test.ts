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
import { degradePhoto, untouched } from '../../src/train/degradation.ts';
import { qualityLabels } from '../../src/train/labels.ts';
import { toRaster } from '../../src/train/samples.ts';
import { drawScene } from '../../src/train/scene.ts';

const dir = path.resolve(import.meta.dirname, '../../models/quality/1');
const manifest = toManifest(readFileSync(path.join(dir, 'manifest.json'), 'utf8'));
const model: ModelVersion = { name: 'quality', version: '1', dir, manifest };
const engineNames = ['tensorflow', 'wasm'] as const;

async function loadShipped(name: EngineName, change?: (files: Map<string, Buffer>) => void): Promise<LoadedModel> {
  const files = new Map(await loadModelFiles(model));
  change?.(files);
  return (await createEngine(name)).loadModel(model, files);
}

/** The largest distance of any golden score. */
async function measureGolden(loaded: LoadedModel): Promise<number> {
  const differences: number[] = [];
  for (const { image, scores } of manifest.golden) {
    const found = await loaded.run(await toRaster(readFileSync(path.join(dir, image))), 1);
    differences.push(...scores.map((score, index) => Math.abs(score - (found[index] ?? Number.NaN))));
  }
  assert.equal(differences.length, manifest.golden.length * qualityLabels.length);
  return Math.max(...differences);
}

/** The labels that flag a picture under the policy. */
function toFlags(scores: ArrayLike<number>): string[] {
  return manifest.output.labels.filter((label, index) => (scores[index] ?? 0) >= (manifest.policy[label]?.review ?? 2));
}

for (const name of engineNames) {
  test(`the_shipped_model_gives_its_golden_scores_on_${name}`, async () => {
    assert.ok(manifest.golden.length >= 4);
    const difference = await measureGolden(await loadShipped(name));
    assert.ok(difference < 1e-3, String(difference));
  });

  test(`a_batch_scores_as_its_images_do_alone_on_${name}`, async () => {
    const loaded = await loadShipped(name);
    const rasters = await Promise.all(
      manifest.golden.map(({ image }) => toRaster(readFileSync(path.join(dir, image)))),
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

test('golden_images_get_the_verdicts_that_their_names_tell', () => {
  const flags = manifest.golden.map(({ image, scores }) => [path.basename(image, '.jpg'), toFlags(scores)]);
  assert.deepEqual(flags, [
    ['sharp', []],
    ['blurred', ['blurry']],
    ['dark', ['dark']],
    ['overexposed', ['overexposed']],
  ]);
});

test('a_drawn_scene_passes_and_its_blurred_black_and_white_versions_do_not', async () => {
  const loaded = await loadShipped('tensorflow');
  for (const seed of [11, 12, 13]) {
    const scene = drawScene(seed, 640, 480);
    const flag = async (change: object): Promise<string[]> => {
      const { jpeg } = await degradePhoto(scene, { ...untouched, ...change });
      return toFlags(await loaded.run(await toRaster(jpeg), 1));
    };
    assert.deepEqual(await flag({}), [], `seed ${String(seed)}`);
    for (const blur of [0.02, 0.05]) assert.ok((await flag({ blur })).includes('blurry'), `seed ${String(seed)}`);
    assert.ok((await flag({ gain: 0 })).includes('dark'));
    assert.ok((await flag({ gain: 0, offset: 255 })).includes('overexposed'));
  }
});

test('the_model_stays_small_and_names_its_labels_in_the_order_of_the_trainer', () => {
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' });
  const bytes = files.reduce((sum, file) => sum + statSync(path.join(dir, file)).size, 0);
  assert.ok(bytes < 1_000_000, `${String(bytes)} bytes`);
  assert.deepEqual(manifest.output.labels, [...qualityLabels]);
});
