// Do the models of npm:nsfwjs answer what nsfwjs itself answers for the same pictures at their full size?
// npm run bench:nsfwjs -- FOLDER [npm:nsfwjs/inception_v3]; exits with 1 where they do not.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Tensor3D } from '@tensorflow/tfjs-core';
import { findPackage } from '../src/cli/installed-package.ts';
import { toNativeEnvironment } from '../src/config/native-environment.ts';
import { decodeImage } from '../src/image/decode.ts';
import { loadNativeJpeg } from '../src/image/native-jpeg.ts';
import type { RasterShape } from '../src/image/types.ts';
import { loadCompiledModel } from '../src/inference/engines/compiled-model.ts';
import type { LoadedModel } from '../src/inference/engines/engine.ts';
import { loadTensorFlow, type TensorFlow } from '../src/inference/engines/tensorflow.ts';
import type { ModelVersion } from '../src/model/model-version.ts';
import { addModel } from '../src/model-import/add-model.ts';
import { presets, unpackPreset } from '../src/model-import/presets.ts';
import { loadNsfwjs, nsfwModels } from '../test/fixtures/nsfwjs.ts';

/** A score may differ by so much. */
const tolerance = 0.03;
const limits = { maxPixels: 1e8, decodeTimeoutMs: 60_000, maxDecodeBytes: Infinity };

const [folder = '.', source = 'npm:nsfwjs'] = process.argv.slice(2);
const presetName = source.replace(/^npm:/, '') as keyof typeof nsfwModels;
const preset = presets.get(presetName);
if (!(presetName in nsfwModels) || !preset) throw new Error(`there are: ${Object.keys(nsfwModels).join(', ')}`);
Object.assign(process.env, toNativeEnvironment(process.env));
const packageDir = findPackage(preset.packageName, undefined);
const dir = mkdtempSync(path.join(tmpdir(), 'image-check-nsfwjs-'));
try {
  const tf = loadTensorFlow();
  await tf.setBackend('tensorflow');
  const unpacked = await unpackPreset(preset, packageDir);
  const { model, outcome } = await addModel({
    ...{ source: unpacked, modelsDir: dir, name: preset.name, version: '1', choices: preset.choices, golden: [] },
    ...{ limits, compile: { cacheDir: dir, environment: process.env } },
  }).finally(() => {
    rmSync(unpacked, { recursive: true, force: true });
  });
  if (outcome.kind === 'refused') throw new Error(outcome.reason);
  loadNativeJpeg();
  const compiled = await loadCompiledModel(model, path.join(model.dir, 'compiled'));
  process.exitCode = (await compare(tf, model, compiled)) ? 0 : 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}

/** @returns whether all pictures agree */
async function compare(tf: TensorFlow, model: ModelVersion, compiled: LoadedModel): Promise<boolean> {
  const nsfwjs = await loadNsfwjs(packageDir, presetName);
  const { input, output } = model.manifest;
  const ways: readonly (readonly [string, RasterShape])[] = [
    [`${input.kernel}, ${input.coordinates}`, input],
    ['lanczos, for comparison', { width: input.width, height: input.height, resize: input.resize }],
  ];
  const tallies = ways.map(() => ({ tops: 0, largest: 0, worst: '', others: [] as string[] }));
  // What nsfwjs can't decode by itself is left out.
  const files = readdirSync(folder).filter((file) => /\.(jpe?g|png)$/i.test(file));
  for (const file of files) {
    const bytes = readFileSync(path.join(folder, file));
    const decoded = tf.node.decodeImage(bytes, 3) as Tensor3D;
    const theirs = await nsfwjs.classify(decoded);
    decoded.dispose();
    for (const [index, [, shape]] of ways.entries()) {
      const scores = await compiled.run(await decodeImage(bytes, shape, limits), 1);
      const ours = new Map(output.labels.map((label, at) => [label, scores[at] ?? NaN]));
      const difference = Math.max(
        ...output.labels.map((label) => Math.abs((ours.get(label) ?? NaN) - (theirs.get(label) ?? NaN))),
      );
      const tally = tallies[index];
      if (!tally) continue;
      if (difference > tally.largest) Object.assign(tally, { largest: difference, worst: file });
      if (toTop(ours) === toTop(theirs)) tally.tops += 1;
      else tally.others.push(`${file}: ${toTop(ours)}, nsfwjs says ${toTop(theirs)}`);
    }
  }
  for (const [index, { tops, largest, worst, others }] of tallies.entries()) {
    console.log(`${ways[index]?.[0] ?? ''}: ${String(tops)} of ${String(files.length)} top labels agree`);
    console.log(`  largest difference of a score ${largest.toFixed(4)} (${worst})`);
    for (const other of others) console.log(`  ${other}`);
  }
  const [served] = tallies;
  return files.length > 0 && served?.tops === files.length && served.largest <= tolerance;
}

function toTop(scores: ReadonlyMap<string, number>): string {
  return [...scores].reduce((best, next) => (next[1] > best[1] ? next : best))[0];
}
