import type { ModelVersion } from '../model/model-version.ts';
import type { EngineName, ModelForm } from './messages.ts';

/** A picture with known scores, decoded for its model. */
export interface GoldenRaster {
  readonly image: string;
  /** uint8 `[height, width, 3]` */
  readonly raster: Uint8Array;
  /** In the order of the manifest's labels. */
  readonly scores: readonly number[];
  readonly tolerance: number;
}

/** What the HTTP thread sends to its model thread; each message is answered by its `id`. */
export type ToThread =
  | {
      readonly type: 'load';
      readonly id: number;
      readonly model: ModelVersion;
      readonly golden: readonly GoldenRaster[];
      /** The user's folder of artefacts. */
      readonly cacheDir: string;
      /** Whether to answer `uncompiled` instead of loading a model that has no artefact yet. */
      readonly wantsArtefact: boolean;
      /** Size of the largest batch that will be run. */
      readonly maxBatch: number;
    }
  | {
      readonly type: 'run';
      readonly id: number;
      readonly batch: Uint8Array<ArrayBuffer>;
      readonly count: number;
      /** Whether to answer with maps, too, if the model has them. */
      readonly wantsMaps: boolean;
    };

/** Facts of a loaded model. */
export interface LoadedFacts {
  readonly loadMs: number;
  readonly form: ModelForm;
  /** Batch size above which throughput no longer grows, if that was measured. */
  readonly usefulBatch: number | undefined;
  /** Why it is not compiled, or which artefacts were skipped. */
  readonly remarks: readonly string[];
}

/** What the model thread answers. Both ends are this program, so nothing is guarded on receipt. */
export type ThreadAnswer =
  | { readonly type: 'loaded'; readonly id: number; readonly loaded: LoadedFacts }
  /** The model could be compiled for this version of TensorFlow and is not; nothing was loaded. */
  | { readonly type: 'uncompiled'; readonly id: number; readonly tensorflowVersion: string }
  | {
      readonly type: 'scores';
      readonly id: number;
      /** float32 `[count, labels]` */
      readonly scores: Float32Array;
      /** float32 `[count, rows, columns, labels]`, if they were requested. */
      readonly maps?: Float32Array;
      /** The memory of the batch, for reuse. */
      readonly batch: Uint8Array<ArrayBuffer>;
      readonly runMs: number;
    }
  | { readonly type: 'failed'; readonly id: number; readonly reason: string };

/** What the model thread sends: answers, and once, unasked, that the engine is loaded. */
export type FromThread = ThreadAnswer | { readonly type: 'started' };

/** What a model thread is created with. */
export interface ThreadData {
  readonly engine: EngineName;
}

/** The task of a compiler process. */
export interface CompileTask {
  readonly model: ModelVersion;
  readonly cacheDir: string;
  readonly tensorflowVersion: string;
  readonly golden: readonly GoldenRaster[];
}

/** What a compiler process reports at its end. */
export type CompileReport = { readonly kind: 'done' } | { readonly kind: 'failed'; readonly reason: string };
