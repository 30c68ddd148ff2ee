import type { EngineName } from '../ipc/messages.ts';
import type { CompileTask, GoldenRaster, LoadedFacts } from '../ipc/thread-messages.ts';
import type { ModelVersion } from '../model/model-version.ts';
import type { Subject } from './image-queue.ts';
import type { Hang } from './model-instance.ts';

/** What the room is built from. */
export interface InferenceOptions {
  readonly engine: EngineName;
  /** Threads of a model, each with an instance of its own. */
  readonly modelThreads: number;
  readonly maxBatch: number;
  readonly loadTimeoutMs: number;
  /** Time for TensorFlow to return a batch. */
  readonly stuckMs: number;
  /** Whether the worker doesn't serve without a model. */
  readonly isDefault: (model: ModelVersion) => boolean;
  /** Decodes a model's golden images; their scores are compared when it is loaded. */
  readonly loadGolden: (model: ModelVersion) => Promise<GoldenRaster[]>;
  readonly artefacts: {
    /** The user's folder of artefacts, beside those that models bring. */
    readonly cacheDir: string;
    /** Compiles a model in a process of its own; undefined to serve models as they are. Answers what went wrong. */
    readonly compile?: (task: CompileTask) => Promise<string | undefined>;
  };
  /** The engine is in this process, in a thread that has no model yet. */
  readonly onStarted?: () => void;
  /** A thread hangs in native code for good: this process can't be mended, only replaced. */
  readonly onHang?: (hang: Hang) => void;
  /** A load failed; the reason may name paths. */
  readonly onLoadFailed?: (model: ModelVersion, reason: string) => void;
  readonly onLoaded?: (model: ModelVersion, loaded: LoadedFacts) => void;
  /** A batch goes to its thread; what is returned is called when it has come back, or is given up. */
  readonly onRun?: (model: ModelVersion, images: readonly Subject[]) => () => void;
  readonly onBatch?: (model: ModelVersion, count: number, runMs: number) => void;
}
