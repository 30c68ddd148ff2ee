import type { EngineName } from '../ipc/messages.ts';
import type { CompileTask, GoldenRaster, LoadedFacts } from '../ipc/thread-messages.ts';
import type { ModelVersion } from '../model/model-version.ts';
import type { Subject } from './image-queue.ts';
import type { Hang } from './model-instance.ts';

/** Options of {@link InferenceService}. */
export interface InferenceOptions {
  readonly engine: EngineName;
  /** Threads per model, each with its own instance. */
  readonly modelThreads: number;
  readonly maxBatch: number;
  readonly loadTimeoutMs: number;
  /** Time limit of a batch, after which its thread counts as hung. */
  readonly stuckMs: number;
  /** Whether the worker serves only once this model is loaded. */
  readonly isDefault: (model: ModelVersion) => boolean;
  /** Decodes a model's golden images, whose scores are verified at load. */
  readonly loadGolden: (model: ModelVersion) => Promise<GoldenRaster[]>;
  readonly artefacts: {
    /** The user's artefact cache, in addition to artefacts beside models. */
    readonly cacheDir: string;
    /** Compiles a model in a child process and resolves with the failure, if any; undefined to serve original models. */
    readonly compile?: (task: CompileTask) => Promise<string | undefined>;
  };
  /** The engine is loaded in this process, in a thread without a model. */
  readonly onStarted?: () => void;
  /** A thread hangs in native code, which can't be interrupted: the process has to be replaced. */
  readonly onHang?: (hang: Hang) => void;
  /** A load failed; the reason may contain paths. */
  readonly onLoadFailed?: (model: ModelVersion, reason: string) => void;
  readonly onLoaded?: (model: ModelVersion, loaded: LoadedFacts) => void;
  /** A batch was sent to its thread; the returned function is called when it is done or abandoned. */
  readonly onRun?: (model: ModelVersion, images: readonly Subject[]) => () => void;
  readonly onBatch?: (model: ModelVersion, count: number, runMs: number) => void;
}
