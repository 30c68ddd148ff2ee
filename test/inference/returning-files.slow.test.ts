import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, renameSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import type { InferenceOptions } from '../../src/inference/inference-options.ts';
import { getNativeLibrary, nativeFiles, useNativeLibrary } from '../../src/native-library.ts';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { createService, findModel, toPlainRaster, untilLater } from '../fixtures/inference.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { waitFor } from '../fixtures/wait-for.ts';

/** Loads while `file` is away, puts it back, and waits for the same service to serve. */
async function assertReturns(dir: string, file: string, options: Partial<InferenceOptions>): Promise<void> {
  const model = findModel(dir, 'colour');
  const reasons: string[] = [];
  const service = createService({ ...options, onLoadFailed: (_, reason) => reasons.push(reason) });
  renameSync(file, `${file}.away`);
  try {
    await assert.rejects(service.load(model), { code: 'ERR_MODEL_UNAVAILABLE' });
  } finally {
    renameSync(`${file}.away`, file);
  }
  const { state, reason = '' } = service.toSnapshot(model);
  assert.deepEqual([state, reasons.length], ['failed', 1], reason);
  assert.ok(!reason.includes(path.dirname(file)), reason);
  await waitFor(() => service.toSnapshot(model).state === 'ready');
  const { scores } = await service.infer(model, toPlainRaster(model, [255, 0, 0]), untilLater());
  assert.ok(Math.abs((scores[0] ?? 0) - 1) < 1e-3);
  assert.equal(service.toSnapshot(model).reason, undefined);
}

for (const name of ['model.json', 'weights.bin']) {
  test(`a_model_whose_missing_${name}_is_back_loads_without_a_restart`, async (context) => {
    const dir = makeTempDir(context);
    const folder = await writeColourModel(dir);
    await assertReturns(dir, path.join(folder, name), {});
  });
}

/** A folder with the real library behind links, and a binding of its own that can be moved away. */
function linkLibrary(context: test.TestContext): string {
  const real = getNativeLibrary();
  const folder = makeTempDir(context);
  mkdirSync(path.join(folder, nativeFiles.libraries), { recursive: true });
  mkdirSync(path.dirname(path.join(folder, nativeFiles.binding)), { recursive: true });
  for (const name of readdirSync(path.join(real, nativeFiles.libraries))) {
    symlinkSync(path.join(real, nativeFiles.libraries, name), path.join(folder, nativeFiles.libraries, name));
  }
  copyFileSync(path.join(real, nativeFiles.binding), path.join(folder, nativeFiles.binding));
  useNativeLibrary(folder);
  context.after(() => {
    useNativeLibrary(real);
  });
  return folder;
}

// The library first: a process that has loaded it doesn't look for its file again.
for (const file of [path.join(nativeFiles.libraries, 'libtensorflow_cc.so.2'), nativeFiles.binding]) {
  test(`a_model_loads_without_a_restart_after_${path.basename(file)}_is_back`, async (context) => {
    const folder = linkLibrary(context);
    const dir = makeTempDir(context);
    await writeColourModel(dir);
    await assertReturns(dir, path.join(folder, file), { engine: 'tensorflow' });
  });
}
