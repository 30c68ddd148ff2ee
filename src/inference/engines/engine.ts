import type { EngineName, ModelForm } from '../../ipc/messages.ts';
import type { ModelVersion } from '../../model/model-version.ts';

/** A model that an engine holds in memory. */
export interface LoadedModel {
  readonly form: ModelForm;
  /** Images above which a larger batch gains nothing; known of compiled models, where it was measured. */
  readonly usefulBatch: number | undefined;
  /**
   * Runs `count` images.
   * @param batch uint8 `[count, height, width, 3]`, 0…255, sRGB
   * @returns float32 `[count, labels]`, 0…1 once the manifest's activation is applied
   */
  run(batch: Uint8Array, count: number): Promise<Float32Array>;
  /** Like `run`, with the maps, which `run` does not compute; absent where the model has none. */
  readonly explain?: (batch: Uint8Array, count: number) => Promise<Explained>;
  /** Frees its memory; it can't run afterwards. */
  dispose(): void;
}

/** What a model says of a batch, and where in the rasters it sees that. */
export interface Explained {
  /** float32 `[count, labels]`, 0…1 */
  readonly scores: Float32Array;
  /** float32 `[count, rows, columns, labels]`, 0…1 */
  readonly maps: Float32Array;
}

/** What runs models; `createEngine` has one for each name. */
export interface Engine {
  readonly name: EngineName;
  /** Version of the native TensorFlow library, which an artefact is made for; undefined where artefacts don't run. */
  readonly tensorflowVersion: string | undefined;
  /**
   * @param files the model's files by their names in the manifest, already verified; an artefact needs none
   * @param artefactDir folder of the model's artefact, already verified, where there is one that this engine runs
   * @throws Error with the reason, fit for /health
   */
  readonly loadModel: (
    model: ModelVersion,
    files: ReadonlyMap<string, Buffer>,
    artefactDir?: string,
  ) => Promise<LoadedModel>;
}
