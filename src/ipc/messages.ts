import { z } from 'zod';
import { configSchema } from '../config/schema.ts';

/** What runs a model. */
const engineName = z.enum(['tensorflow', 'wasm']);
export type EngineName = z.infer<typeof engineName>;

/** How a model runs: as one frozen graph, operation by operation through tfjs, or as its original SavedModel. */
const modelForm = z.enum(['compiled', 'op-by-op', 'saved-model']);
export type ModelForm = z.infer<typeof modelForm>;

const modelSnapshot = z.object({
  version: z.string(),
  engine: engineName,
  state: z.enum(['cold', 'loading', 'ready', 'failed']),
  /** Time of the last successful load, warm-up included. */
  loadMs: z.number().optional(),
  form: modelForm.optional(),
  /** Why the last load failed, in one line. */
  reason: z.string().optional(),
  /** Loads in a row that hung. */
  hangs: z.int().optional(),
  /** Names of the policies that the version has; absent where its manifest can't be read. */
  policies: z.array(z.string()).optional(),
  /** Notes for the operator on a model that is ready, such as why it is not compiled. */
  remarks: z.array(z.string()).optional(),
});

/** A version of a model inside one worker. */
export type ModelSnapshot = z.infer<typeof modelSnapshot>;

const modelStatus = modelSnapshot.extend({
  name: z.string(),
  /** Whether it serves when a request names no version. */
  isDefault: z.boolean(),
});

/** A version of a model with its name. */
export type ModelStatus = z.infer<typeof modelStatus>;

const hungModel = z.object({ name: z.string(), version: z.string(), reason: z.string(), hangs: z.int().min(1) });

/** A version whose load hung: the next worker of the slot waits before it tries again. */
export type HungModel = z.infer<typeof hungModel>;

/**
 * Work on one image that hung or crashed a worker, or took too long: the SHA-256 of the upload in hex, a colon, and the
 * step, `decode` or the `name@version` of a model.
 */
const suspect = z.string();

const quarantineState = z.object({
  /** Have one strike; a worker that processes one without harm reports `cleared`. */
  suspected: z.array(suspect),
  /** Have two strikes, and are refused. */
  quarantined: z.array(suspect),
});

/** Images that hung or crashed a worker, across all workers. */
export type QuarantineState = z.infer<typeof quarantineState>;

/** One metric of prom-client's `getMetricsAsJSON`, whose own type wrongly declares `type` a number. */
export const metricFamily = z.looseObject({
  name: z.string(),
  help: z.string(),
  type: z.string(),
  aggregator: z.string(),
  values: z.array(
    z.looseObject({ value: z.number(), labels: z.record(z.string(), z.union([z.string(), z.number()])) }),
  ),
});
export type MetricFamily = z.infer<typeof metricFamily>;

const workerSnapshot = z.object({
  serving: z.boolean(),
  ready: z.boolean(),
  /** The default version of each name, and any other version that was used. */
  models: z.array(modelStatus),
  inFlight: z.int(),
  queueDepth: z.int(),
  /** Images that got a verdict since the worker started. */
  checked: z.int(),
  /** Requests to /v1/check that were answered since the worker started, whatever the answer. */
  requests: z.int(),
  memory: z.object({ rssBytes: z.number(), pssBytes: z.number(), privateBytes: z.number() }),
  metrics: z.array(metricFamily),
});

/** Metrics and status of one worker at one moment. */
export type WorkerSnapshot = z.infer<typeof workerSnapshot>;

/** Paths that the primary answers, by itself or through a worker. */
export const opsPaths = ['/livez', '/readyz', '/health', '/metrics', '/v1/models'] as const;
export const opsPath = z.enum(opsPaths);
export type OpsPath = z.infer<typeof opsPath>;

const opsAnswer = z.object({ status: z.int(), contentType: z.string(), body: z.string() });

/** A complete answer of the primary, for the process that was asked to write. */
export type OpsAnswer = z.infer<typeof opsAnswer>;

const toWorker = z.discriminatedUnion('type', [
  /** The first message, in answer to `hello`. */
  z.object({
    type: z.literal('start'),
    slot: z.int(),
    engine: engineName,
    /** Folder of native TensorFlow: a worker that is forked early does not inherit it. */
    nativeLibrary: z.string().optional(),
    config: configSchema,
    /** Models to load before listening, beside those of `model.load: eager`. */
    warm: z.array(z.string()),
    hung: z.array(hungModel),
    /** Versions that serve by a bare name as long as they are on disk; for other names the highest serves. */
    versions: z.record(z.string(), z.string()),
    /** Whether a file for its in-flight journal is open. */
    hasJournal: z.boolean(),
  }),
  /** Replaces all that was sent before. */
  z.object({ type: z.literal('quarantine'), state: quarantineState }),
  /** A client's connection; its socket travels with the message. The worker answers `accepted`. */
  z.object({ type: z.literal('connection'), id: z.int() }),
  /** The worker answers `probed`: all connections sent before it have arrived by then, or are lost. */
  z.object({ type: z.literal('probe'), id: z.int() }),
  z.object({ type: z.literal('answer'), id: z.int(), answer: opsAnswer }),
  /** Another worker has less load: close this many kept connections with their next answers. */
  z.object({ type: z.literal('shed'), connections: z.int() }),
  /** Reload thresholds, which have changed on disk. */
  z.object({ type: z.literal('policies') }),
  /** Finish what is in flight, then end. Later requests are refused at a shutdown, served when replaced. */
  z.object({ type: z.literal('drain'), because: z.enum(['shutdown', 'replaced']) }),
]);

/** What the primary sends to a worker. */
export type ToWorker = z.infer<typeof toWorker>;

/** Why a worker drains. */
export type DrainReason = Extract<ToWorker, { type: 'drain' }>['because'];

const toPrimary = z.discriminatedUnion('type', [
  /**
   * The worker receives messages from now on; the primary answers with `start`. node:cluster attaches a listener of its
   * own before the program is loaded, so anything sent earlier is lost.
   */
  z.object({ type: z.literal('hello') }),
  z.object({ type: z.literal('listening') }),
  z.object({ type: z.literal('accepted'), id: z.int() }),
  z.object({ type: z.literal('probed'), id: z.int() }),
  z.object({ type: z.literal('closed'), id: z.int() }),
  z.object({ type: z.literal('snapshot'), snapshot: workerSnapshot }),
  /** One strike against each: native work on it hung or timed out. */
  z.object({ type: z.literal('strike'), suspects: z.array(suspect) }),
  /** A suspect was processed without harm. */
  z.object({ type: z.literal('cleared'), suspect }),
  /** Native work hangs: another worker has to take over. */
  z.object({ type: z.literal('stuck'), reason: z.string() }),
  z.object({ type: z.literal('ask'), id: z.int(), path: opsPath }),
  /** The worker can't start, nor would another try: one line for the operator. */
  z.object({ type: z.literal('unable'), reason: z.string(), exitCode: z.int() }),
]);

/** What a worker sends to the primary. */
export type ToPrimary = z.infer<typeof toPrimary>;

/** Guards what arrives in a worker; undefined for anything else (pm2 uses the same channel). */
export function toWorkerMessage(received: unknown): ToWorker | undefined {
  return toWorker.safeParse(received).data;
}

/** Guards what arrives in the primary; undefined for anything else. */
export function toPrimaryMessage(received: unknown): ToPrimary | undefined {
  return toPrimary.safeParse(received).data;
}
