// Measures one compiled graph in a fresh process, as only there memory growth equals a worker's need.
import { toMessage } from '../../errors.ts';
import { loadCompiledGraph } from '../../inference/engines/compiled-model.ts';
import { loadBinding } from '../../inference/engines/tensorflow.ts';
import { measureBatches, type Measured, readNativeBytes } from './batches.ts';
import type { MeasureOrder } from './measure.ts';

process.once('message', ({ dir, model }: MeasureOrder) => {
  void measure({ dir, model })
    .catch((thrown: unknown): Measured => ({ kind: 'failed', reason: toMessage(thrown) }))
    .then((measured) => {
      process.send?.(measured, () => {
        process.disconnect();
      });
    });
});

async function measure({ dir, model }: MeasureOrder): Promise<Measured> {
  loadBinding();
  const before = await readNativeBytes();
  const startedAt = performance.now();
  const compiled = loadCompiledGraph(model, dir, undefined);
  const { width, height } = model.manifest.input;
  await compiled.run(new Uint8Array(width * height * 3), 1);
  const loadMs = performance.now() - startedAt;
  return { kind: 'measured', loadMs, batches: await measureBatches(compiled, width * height * 3, before) };
}
