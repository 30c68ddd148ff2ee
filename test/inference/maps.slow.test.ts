import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { compileInChild } from '../../src/inference/compile-child.ts';
import type { Inference } from '../../src/inference/image-queue.ts';
import type { EngineName } from '../../src/ipc/messages.ts';
import type { ModelVersion } from '../../src/model/model-version.ts';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { createService, findModel, toPlainRaster, untilLater } from '../fixtures/inference.ts';
import { mapGrid, type MapModelOptions, writeMapModel } from '../fixtures/map-model.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

type Explaining = ReturnType<typeof createService>;
const explained = () => ({ ...untilLater(), explain: true });

async function writeModel(context: test.TestContext, options: MapModelOptions = {}): Promise<ModelVersion> {
  const dir = makeTempDir(context);
  await writeMapModel(dir, options);
  return findModel(dir, 'map');
}

/** Blue pixels of which those under one cell of the map are red. */
function toMarkedRaster(model: ModelVersion, column: number, row: number): Uint8Array {
  const raster = toPlainRaster(model, [0, 0, 255]);
  const { width } = model.manifest.input;
  for (let y = row * 4; y < row * 4 + 4; y += 1) {
    for (let x = column * 4; x < column * 4 + 4; x += 1) raster.set([255, 0, 0], (y * width + x) * 3);
  }
  return raster;
}

function assertMarked({ scores, map }: Inference, column: number, row: number): void {
  assert.equal(map?.length, mapGrid.columns * mapGrid.rows * 3);
  const marked = row * mapGrid.columns + column;
  for (const [index, score] of map.entries()) {
    const expected = index % 3 === (Math.floor(index / 3) === marked ? 0 : 2) ? 1 : 0;
    assert.ok(Math.abs(score - expected) < 1e-3, `element ${String(index)} of the map is ${String(score)}`);
  }
  for (const [label, score] of scores.entries()) assert.ok(Math.abs(score - (label === 1 ? 0 : 1)) < 1e-3, 'a score');
}

async function assertExplains(service: Explaining, model: ModelVersion): Promise<void> {
  assertMarked(await service.infer(model, toMarkedRaster(model, 5, 1), explained()), 5, 1);
  const without = await service.infer(model, toMarkedRaster(model, 5, 1), untilLater());
  assert.equal(without.map, undefined);
  assert.equal(without.scores.length, 3);
}

for (const engine of ['wasm', 'tensorflow'] satisfies EngineName[]) {
  test(`maps_come_where_they_are_asked_for_op_by_op_on_${engine}`, async (context) => {
    const model = await writeModel(context);
    const service = createService({ engine });
    await assertExplains(service, model);
    assert.equal(service.toSnapshot(model).form, 'op-by-op');
  });
}

test('maps_come_where_they_are_asked_for_of_a_compiled_graph', async (context) => {
  const model = await writeModel(context);
  const artefacts = { cacheDir: path.join(model.dir, 'cache'), compile: compileInChild };
  const service = createService({ engine: 'tensorflow', artefacts });
  await assertExplains(service, model);
  assert.equal(service.toSnapshot(model).form, 'compiled');
});

test('in_one_batch_each_image_gets_its_own_map_or_none', async (context) => {
  const model = await writeModel(context);
  const batches: number[] = [];
  const service = createService({ maxBatch: 8, onBatch: (_, count) => batches.push(count) });
  const all = Array.from({ length: 6 }, (_, index) =>
    service.infer(model, toMarkedRaster(model, index, 5 - index), index % 2 === 0 ? explained() : untilLater()),
  );
  for (const [index, inference] of (await Promise.all(all)).entries()) {
    if (index % 2 === 0) assertMarked(inference, index, 5 - index);
    else assert.equal(inference.map, undefined);
  }
  assert.deepEqual(batches, [6]);
});

test('a_model_without_a_map_gives_none', async (context) => {
  const dir = makeTempDir(context);
  await writeColourModel(dir);
  const model = findModel(dir, 'colour');
  const { map, scores } = await createService().infer(model, toPlainRaster(model, [255, 0, 0]), explained());
  assert.equal(map, undefined);
  assert.ok(Math.abs((scores[0] ?? 0) - 1) < 1e-3, 'red');
});

const faults: readonly [string, MapModelOptions['output'], RegExp][] = [
  ['another_size', { map: { tensor: '1', width: 6, height: 8 } }, /maps are \[1, 6, 8, 3\], .* says \[1, 8, 6, 3\]/],
  [
    'an_output_that_is_not_there',
    { map: { tensor: 'map', width: 8, height: 6 } },
    /output\.map\.tensor in the manifest/,
  ],
];
for (const engine of ['wasm', 'tensorflow'] satisfies EngineName[]) {
  for (const [name, output, reason] of faults) {
    test(`a_map_of_${name}_fails_the_load_on_${engine}`, async (context) => {
      const model = await writeModel(context, { output: output ?? {} });
      const service = createService({ engine });
      await assert.rejects(service.load(model), { code: 'ERR_MODEL_UNAVAILABLE', detail: reason });
      const { state, reason: told = '' } = service.toSnapshot(model);
      assert.equal(state, 'failed');
      assert.match(told, reason);
    });
  }
}
