import { loadTensorFlow } from '../inference/engines/tensorflow.ts';
import { getTensorFlowVersion } from '../inference/engines/tensorflow-binding.ts';
import { findArtefact } from '../model/artefact.ts';
import { loadModelFiles } from '../model/model-files.ts';
import type { ModelVersion } from '../model/model-version.ts';
import { compileModel, type CompileOptions, type CompileOutcome } from './compile-model.ts';

/** Result for one version; `isNew` if it was compiled just now. */
export type StoredOutcome = CompileOutcome & { readonly isNew: boolean };

/** Compiles one version of the models folder if its artefact is missing or stale. */
export type StoredCompiler = (
  model: ModelVersion,
  choice: {
    /** Compiles it even if its artefact is current. */
    readonly isForced: boolean;
    /** Decodes the golden images, uint8 `[height, width, 3]` each; called only if there is something to compile. */
    readonly loadRasters: () => Promise<readonly Uint8Array[]>;
  },
) => Promise<StoredOutcome>;

/** Starts TensorFlow in this process for compiling. Must not run in a serving process. */
export async function createStoredCompiler(
  options: Pick<CompileOptions, 'cacheDir' | 'environment'>,
): Promise<StoredCompiler> {
  const tf = loadTensorFlow();
  await tf.setBackend('tensorflow');
  return async (model, { isForced, loadRasters }) => {
    // Read even with a current artefact, to report a damaged model.
    const files = await loadModelFiles(model);
    const found = await findArtefact(model, options.cacheDir, getTensorFlowVersion(tf));
    if (found.kind !== 'none' && !isForced) return { ...found, isNew: false };
    const rasters = await loadRasters();
    return { ...(await compileModel(tf, model, files, { ...options, rasters })), isNew: true };
  };
}
