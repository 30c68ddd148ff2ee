import { z } from 'zod';
import { pictureRules } from './picture-rules.ts';
import { policies } from './policies.ts';
import { profileName } from './profile-name.ts';
import { isProxyList } from './trusted-proxies.ts';

const milliseconds = (minimum: number, maximum: number) => z.int().min(minimum).max(maximum);
const bytes = (minimum: number, maximum: number) => z.int().min(minimum).max(maximum);
const port = z.int().min(0).max(65535);
const hour = 3_600_000;
const year = 365 * 24 * hour;
const gibibyte = 2 ** 30;
const defaultAccessFormat =
  '%(addr) - %(user) [%(ltime)] "%(method) %(uri) %(proto)" %(status) %(size) "%(referer)" "%(uagent)" %(msecs)ms';

const server = z.strictObject({
  port: port.default(5051).describe('TCP port for uploads; 0: any free port.'),
  host: z.string().min(1).default('0.0.0.0').describe('Address to listen on for uploads.'),
  keepAliveTimeoutMs: milliseconds(0, hour)
    .default(75_000)
    .describe("Time before an idle keep-alive connection is closed; set it above the load balancer's idle timeout."),
  headersTimeoutMs: milliseconds(100, hour)
    .default(15_000)
    .describe('Time limit for receiving the headers of a request.'),
  maxConnections: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(10_000)
    .describe('Maximum of open connections, over all workers; further ones are refused.'),
  maxConnectionsPerAddress: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(0)
    .describe('Maximum of open connections per client address; further ones are refused; 0: no limit.'),
  backlog: z
    .int()
    .min(1)
    .max(65535)
    .default(511)
    .describe('Length of the kernel queue of connections waiting to be accepted.'),
  writeTimeoutMs: milliseconds(100, hour)
    .default(10_000)
    .describe('Time without progress in sending a response before the connection is closed.'),
  trustProxy: z
    .array(z.coerce.string())
    .refine(isProxyList, 'not a list of addresses, CIDRs, loopback, linklocal or uniquelocal, nor one number of hops')
    .default([])
    .describe(
      'Proxies trusted for X-Forwarded-For: addresses, CIDRs, loopback, linklocal, uniquelocal; or a number of hops.',
    ),
});

const ops = z.strictObject({
  port: port.default(5052).describe('TCP port for health and metrics, served by the primary; 0: any free port.'),
  host: z.string().min(1).default('0.0.0.0').describe('Address to listen on for health and metrics.'),
  onPublicPort: z.boolean().default(true).describe('Whether health and metrics are also served on server.port.'),
});

const model = z.strictObject({
  load: z
    .enum(['lazy', 'eager'])
    .default('lazy')
    .describe('lazy: a worker loads a model on first use; eager: before it accepts traffic.'),
  engine: z
    .enum(['auto', 'tensorflow', 'wasm'])
    .default('auto')
    .describe('Inference engine; auto: native TensorFlow if available, else wasm.'),
  compile: z
    .boolean()
    .default(true)
    .describe('Whether a model without an artefact is compiled to a frozen graph on first use.'),
  artefactDir: z
    .string()
    .default('')
    .describe('Folder for artefacts of models in read-only folders; empty: the cache folder of the user.'),
});

const models = z.strictObject({
  dir: z
    .string()
    .min(1)
    .default('models')
    .describe('Models folder, with <name>/<version>/manifest.json; relative to the project.'),
  watch: z
    .boolean()
    .default(true)
    .describe('Whether new versions and changed manifests in models.dir are applied while the service runs.'),
});

const check = z.strictObject({
  models: z
    .array(z.string().regex(/^[a-z0-9][a-z0-9_-]*(@\d+)?$/i))
    .min(1)
    .default(['quality'])
    .describe('Default models, for uploads that name none; name or name@version.'),
  policy: profileName.default('default').describe('Default policy (set of thresholds), for uploads that name none.'),
  deadlineMs: milliseconds(100, hour)
    .default(10_000)
    .describe('Time limit for a verdict, from the last byte received.'),
  queueSize: z.int().min(1).max(100_000).default(64).describe('Maximum of images queued in a worker.'),
});

const inference = z.strictObject({
  maxBatch: z.int().min(1).max(256).default(8).describe('Maximum of images in one inference batch.'),
});

const upload = z.strictObject({
  maxBytes: bytes(1, gibibyte).default(10_485_760).describe('Maximum size of one image, in bytes.'),
  maxFiles: z.int().min(1).max(1000).default(16).describe('Maximum of images in one request.'),
  maxRequestBytes: bytes(1, 2 * gibibyte)
    .default(67_108_864)
    .describe('Maximum size of one request body, in bytes.'),
  maxBufferedBytes: bytes(1, 64 * gibibyte)
    .default(268_435_456)
    .describe('Size of the upload buffer of a worker, in bytes, shared by all uploads.'),
  timeoutMs: milliseconds(100, hour).default(60_000).describe('Time limit for a whole upload.'),
  idleTimeoutMs: milliseconds(100, hour)
    .default(10_000)
    .describe('Time without a received byte before an upload is refused.'),
  minBytesPerSecond: bytes(0, gibibyte)
    .default(500)
    .describe('Minimum average rate of an upload after its first upload.idleTimeoutMs; 0: no limit.'),
});

const image = z.strictObject({
  maxPixels: z
    .int()
    .min(1)
    .max(1_000_000_000)
    .default(52_000_000)
    .describe('Maximum of pixels in one image, according to its header.'),
  decodeTimeoutMs: milliseconds(100, hour).default(5000).describe('Time limit for decoding one image.'),
  maxDecodeBytes: bytes(1, 1024 * gibibyte)
    .default(268_435_456)
    .describe('Memory budget for decoding in a worker, in bytes; an image whose header demands more is refused.'),
  heic: z
    .boolean()
    .default(false)
    .describe('Whether HEIC is decoded, by libheif in WebAssembly, in a separate thread per image.'),
});

const worker = z.strictObject({
  modelThreads: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe('Threads per model and worker, each with its own model instance.'),
});

const supervisor = z.strictObject({
  stuckMs: milliseconds(100, hour)
    .default(2000)
    .describe('Time after which a running batch counts as hung; must be below check.deadlineMs.'),
  harakiriMs: milliseconds(1000, hour)
    .default(30_000)
    .describe('Time for a worker with a hung thread to finish other work before it is killed.'),
  loadTimeoutMs: milliseconds(1000, hour).default(60_000).describe('Time limit for loading a model.'),
  heartbeatMs: milliseconds(50, 60_000)
    .default(1000)
    .describe('Interval at which a worker sends its snapshot to the primary.'),
  heartbeatTimeoutMs: milliseconds(200, hour)
    .default(10_000)
    .describe('Time without a heartbeat before a worker is killed and respawned.'),
  bootTimeoutMs: milliseconds(1000, hour)
    .default(60_000)
    .describe('Time limit from fork to listening, not counting model loads.'),
  quarantineMs: milliseconds(0, 24 * hour)
    .default(600_000)
    .describe('Time to remember an image that hung or crashed a worker; the second strike quarantines it.'),
  maxRequests: z
    .int()
    .min(0)
    .max(1_000_000_000)
    .default(0)
    .describe('Requests to /v1/check after which a worker is recycled, plus up to 10 % jitter; 0: no limit.'),
  maxPrivateBytes: bytes(0, 1024 * gibibyte)
    .default(0)
    .describe('Private memory, in bytes, above which a worker is recycled; 0: no limit.'),
  maxAgeMs: milliseconds(0, year)
    .default(0)
    .describe('Age at which a worker is recycled, plus up to 10 % jitter; 0: no limit.'),
});

const shutdown = z.strictObject({
  graceMs: milliseconds(0, hour)
    .default(30_000)
    .describe('Grace period for requests in flight after SIGTERM or SIGINT.'),
});

const health = z.strictObject({
  minServingWorkers: z
    .int()
    .min(1)
    .max(1024)
    .default(1)
    .describe('Serving workers required for /readyz to answer 200.'),
});

const log = z.strictObject({
  level: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Minimum severity of logged events.'),
  format: z.enum(['json', 'pretty']).default('json').describe('Format of the event log on stderr.'),
  access: z.enum(['uwsgi', 'json', 'off']).default('uwsgi').describe('Format of the access log on stdout.'),
  accessFormat: z.string().min(1).default(defaultAccessFormat).describe('uWSGI log-format string of the access log.'),
});

/** Every option: range, default and description. `config/default.yaml` is generated from here. */
export const configSchema = z
  .strictObject({
    server: server.prefault({}),
    ops: ops.prefault({}),
    workers: z
      .union([z.literal('auto'), z.int().min(1).max(1024)])
      .default('auto')
      .describe('Worker processes; auto: one per CPU of the cgroup, as far as its memory limit allows.'),
    model: model.prefault({}),
    models: models.prefault({}),
    check: check.prefault({}),
    rules: pictureRules
      .default({})
      .describe('Image rules by profile name; the profile default applies to uploads that name none.'),
    policies: policies
      .default({})
      .describe('Thresholds that override those of the manifests, by policy, model and label.'),
    inference: inference.prefault({}),
    upload: upload.prefault({}),
    image: image.prefault({}),
    worker: worker.prefault({}),
    supervisor: supervisor.prefault({}),
    shutdown: shutdown.prefault({}),
    health: health.prefault({}),
    log: log.prefault({}),
  })
  .superRefine(({ check: { deadlineMs }, supervisor: { stuckMs, heartbeatMs, heartbeatTimeoutMs } }, context) => {
    const refuse = (option: string, message: string): void => {
      context.addIssue({ code: 'custom', path: ['supervisor', option], message });
    };
    if (stuckMs >= deadlineMs) refuse('stuckMs', `not below check.deadlineMs (${String(deadlineMs)})`);
    if (heartbeatTimeoutMs > heartbeatMs) return;
    refuse('heartbeatTimeoutMs', `not above supervisor.heartbeatMs (${String(heartbeatMs)})`);
  })
  .readonly();

/** The validated configuration. */
export type Config = z.infer<typeof configSchema>;
