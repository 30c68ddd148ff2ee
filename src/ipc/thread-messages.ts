import type { ModelVersion } from '../model/model-version.ts';
import type { EngineName } from './messages.ts';

/** A picture whose scores are known, decoded for its model. */
export interface GoldenRaster {
  readonly image: string;
  /** uint8 `[height, width, 3]` */
  readonly raster: Uint8Array;
  /** In the order of the manifest's labels. */
  readonly scores: readonly number[];
  readonly tolerance: number;
}

/** What the HTTP thread asks of its model thread; each is answered by its `id`. */
export type ToThread =
  | {
      readonly type: 'load';
      readonly id: number;
      readonly model: ModelVersion;
      readonly golden: readonly GoldenRaster[];
    }
  | {
      readonly type: 'run';
      readonly id: number;
      readonly key: string;
      readonly batch: Uint8Array;
      readonly count: number;
    };

/** What the model thread answers. Both ends are this program's own, so nothing is guarded here. */
export type FromThread =
  | { readonly type: 'loaded'; readonly id: number; readonly loadMs: number }
  | { readonly type: 'scores'; readonly id: number; readonly scores: Float32Array; readonly runMs: number }
  | { readonly type: 'failed'; readonly id: number; readonly reason: string };

/** What a model thread is born with. */
export interface ThreadData {
  readonly engine: EngineName;
}
