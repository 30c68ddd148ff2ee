import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { projectRoot } from '../../src/cli/project.ts';
import { decodeImage } from '../../src/image/decode.ts';
import type { EngineName } from '../../src/ipc/messages.ts';
import { chooseEngine } from '../../src/setup/engine-choice.ts';
import { createService, findModel, untilLater } from '../fixtures/inference.ts';
import { makePhoto, makePlain } from '../fixtures/pictures.ts';

const limits = { maxPixels: 1e7, decodeTimeoutMs: 30_000, maxDecodeBytes: Infinity };

async function score(engine: EngineName, pictures: readonly Buffer[]): Promise<number[][]> {
  const model = findModel(path.join(projectRoot, 'models'), 'quality');
  const service = createService({ engine });
  const rasters = await Promise.all(pictures.map((bytes) => decodeImage(bytes, model.manifest.input, limits)));
  const all = await Promise.all(rasters.map((raster) => service.infer(model, raster, untilLater())));
  return all.map(({ scores }) => [...scores]);
}

test('both_engines_give_the_same_scores_for_decoded_pictures', async () => {
  const choice = await chooseEngine({ wanted: 'auto', progress: 'none', environment: process.env });
  assert.equal(choice.engine, 'tensorflow', choice.engine === 'wasm' ? choice.why : '');
  const pictures = await Promise.all([
    makePhoto(1),
    makePhoto(2, 300, 700),
    makePlain(0),
    makePlain(128),
    makePlain(255),
  ]);
  const [native, wasm] = [await score('tensorflow', pictures), await score('wasm', pictures)];
  assert.equal(native.length, pictures.length);
  for (const [index, scores] of native.entries()) {
    for (const [label, value] of scores.entries()) {
      const difference = Math.abs(value - (wasm[index]?.[label] ?? Number.NaN));
      assert.ok(difference < 1e-3, `picture ${String(index)}, label ${String(label)}: ${String(difference)}`);
    }
  }
  assert.ok(
    new Set(native.map((scores) => scores.join())).size === pictures.length,
    'the pictures differ in their scores',
  );
});
