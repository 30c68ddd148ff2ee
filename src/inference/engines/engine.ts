import type { EngineName, ModelForm } from '../../ipc/messages.ts';
import type { ModelVersion } from '../../model/model-version.ts';

/** A model loaded by an engine. */
export interface LoadedModel {
  readonly form: ModelForm;
  /** Batch size above which a larger one gains nothing; measured for compiled models only. */
  readonly usefulBatch: number | undefined;
  /**
   * Runs `count` images.
   * @param batch uint8 `[count, height, width, 3]`, 0…255, sRGB
   * @returns float32 `[count, labels]`, 0…1 once the manifest's activation is applied
   */
  run(batch: Uint8Array, count: number): Promise<Float32Array>;
  /** Like `run`, with maps, which `run` does not compute; absent if the model has none. */
  readonly explain?: (batch: Uint8Array, count: number) => Promise<Explained>;
  /** Frees its memory; it can't be used afterwards. */
  dispose(): void;
}

/** Scores of a batch with their maps over the rasters. */
export interface Explained {
  /** float32 `[count, labels]`, 0…1 */
  readonly scores: Float32Array;
  /** float32 `[count, rows, columns, labels]`, 0…1 */
  readonly maps: Float32Array;
}

/** An inference engine; `createEngine` has one for each name. */
export interface Engine {
  readonly name: EngineName;
  /** Version of the native TensorFlow library, part of the artefact key; undefined for engines that run no artefacts. */
  readonly tensorflowVersion: string | undefined;
  /**
   * @param files the model's verified files by name; empty with an artefact
   * @param artefactDir folder of the model's verified artefact, if there is one for this engine
   * @throws Error with a reason that is safe to show in /health
   */
  readonly loadModel: (
    model: ModelVersion,
    files: ReadonlyMap<string, Buffer>,
    artefactDir?: string,
  ) => Promise<LoadedModel>;
}
