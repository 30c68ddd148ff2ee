// Compiles one model into a folder and tells its parent what came of it.
import { compileModel } from '../src/compile/compile-model.ts';
import { loadTensorFlow } from '../src/inference/engines/tensorflow.ts';
import { loadModelFiles } from '../src/model/model-files.ts';
import { findVersion, loadModelStore } from '../src/model/model-store.ts';

const [modelsDir = '', name = '', outDir = ''] = process.argv.slice(2);
const startedAt = performance.now();
const tf = loadTensorFlow();
await tf.setBackend('tensorflow');
const found = findVersion(loadModelStore(modelsDir), name);
if (found.kind === 'broken') throw new Error(found.reason);
const files = await loadModelFiles(found.model);
const outcome = await compileModel(tf, found.model, files, {
  cacheDir: outDir,
  outDir,
  rasters: [],
  environment: process.env,
});
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
process.send?.(`compiled in ${seconds} s: ${toSummary(outcome)}`, () => {
  process.disconnect();
});

function toSummary(made: typeof outcome): string {
  if (made.kind === 'refused') return `refused: ${made.reason}`;
  const { nodes, graphBytes, maxDifference, usefulBatch, batches } = made.artefact;
  const costs = batches.map(
    ({ size, perImageMs, privateBytes }) =>
      `${String(size)}: ${perImageMs.toFixed(2)} ms, ${(privateBytes / 1e6).toFixed(0)} MB`,
  );
  const facts = `${String(nodes)} nodes, ${(graphBytes / 1e6).toFixed(1)} MB, differs by ${maxDifference.toExponential(1)}`;
  return `${facts}, useful batch ${String(usefulBatch)} (${costs.join(' | ')})`;
}
