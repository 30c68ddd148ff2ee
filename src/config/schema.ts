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
  port: port.default(5051).describe('TCP port for uploads; 0 takes a free one.'),
  host: z.string().min(1).default('0.0.0.0').describe('Address to listen on for uploads.'),
  keepAliveTimeoutMs: milliseconds(0, hour)
    .default(75_000)
    .describe("How long an idle connection stays open; above a load balancer's own idle timeout."),
  headersTimeoutMs: milliseconds(100, hour).default(15_000).describe('Time for the headers of a request to arrive.'),
  maxConnections: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(10_000)
    .describe('Open connections, all workers together; more are refused.'),
  maxConnectionsPerAddress: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(0)
    .describe('Open connections of one client address; more are refused; 0: no limit.'),
  backlog: z.int().min(1).max(65535).default(511).describe('Connections that the kernel keeps waiting.'),
  writeTimeoutMs: milliseconds(100, hour)
    .default(10_000)
    .describe('Time that a client may take no byte of its answer; then its connection is closed.'),
  trustProxy: z
    .array(z.coerce.string())
    .refine(isProxyList, 'not a list of addresses, CIDRs, loopback, linklocal or uniquelocal, nor one number of hops')
    .default([])
    .describe(
      'Proxies to trust for X-Forwarded-For: addresses, CIDRs, loopback, linklocal, uniquelocal; or a number of hops.',
    ),
});

const ops = z.strictObject({
  port: port.default(5052).describe('TCP port of health and metrics, served by the primary; 0 takes a free one.'),
  host: z.string().min(1).default('0.0.0.0').describe('Address to listen on for health and metrics.'),
  onPublicPort: z.boolean().default(true).describe('Whether health and metrics are answered on server.port too.'),
});

const model = z.strictObject({
  load: z
    .enum(['lazy', 'eager'])
    .default('lazy')
    .describe('lazy: a worker loads a model on the first request for it; eager: before it takes traffic.'),
  engine: z
    .enum(['auto', 'tensorflow', 'wasm'])
    .default('auto')
    .describe('What runs the models; auto: native TensorFlow where it can be had, else wasm.'),
  compile: z
    .boolean()
    .default(true)
    .describe('Whether a model that has no artefact is compiled to one frozen graph when it is first wanted.'),
  artefactDir: z
    .string()
    .default('')
    .describe('Folder for artefacts of models whose folder can not be written; empty: the cache of the user.'),
});

const models = z.strictObject({
  dir: z
    .string()
    .min(1)
    .default('models')
    .describe('Folder of models: <name>/<version>/manifest.json; relative to the project.'),
  watch: z
    .boolean()
    .default(true)
    .describe('Whether a new version or a changed manifest in models.dir is taken up while the service runs.'),
});

const check = z.strictObject({
  models: z
    .array(z.string().regex(/^[a-z0-9][a-z0-9_-]*(@\d+)?$/i))
    .min(1)
    .default(['quality'])
    .describe('Models that judge an upload which names none; name or name@version.'),
  policy: profileName.default('default').describe('Policy, a set of thresholds, for an upload that names none.'),
  deadlineMs: milliseconds(100, hour).default(10_000).describe('Time for a verdict, from the last byte received.'),
  queueSize: z.int().min(1).max(100_000).default(64).describe('Images that may wait for the model, a worker.'),
});

const inference = z.strictObject({
  maxBatch: z.int().min(1).max(256).default(8).describe('Images that run through a model together, at most.'),
});

const upload = z.strictObject({
  maxBytes: bytes(1, gibibyte).default(10_485_760).describe('Size of one image, in bytes.'),
  maxFiles: z.int().min(1).max(1000).default(16).describe('Images in one request.'),
  maxRequestBytes: bytes(1, 2 * gibibyte)
    .default(67_108_864)
    .describe('Size of one request body, in bytes.'),
  maxBufferedBytes: bytes(1, 64 * gibibyte)
    .default(268_435_456)
    .describe('Bytes of all uploads that a worker holds at one time.'),
  timeoutMs: milliseconds(100, hour).default(60_000).describe('Time for a whole upload.'),
  idleTimeoutMs: milliseconds(100, hour).default(10_000).describe('Time that an upload may pause.'),
  minBytesPerSecond: bytes(0, gibibyte)
    .default(500)
    .describe('Lowest average rate of an upload after its first upload.idleTimeoutMs; 0: no limit.'),
});

const image = z.strictObject({
  maxPixels: z.int().min(1).max(1_000_000_000).default(52_000_000).describe('Pixels of one image, from its header.'),
  decodeTimeoutMs: milliseconds(100, hour).default(5000).describe('Time for decoding one image.'),
  maxDecodeBytes: bytes(1, 1024 * gibibyte)
    .default(268_435_456)
    .describe('Memory for decoding, a worker; priced by the header of each image. One that needs more is refused.'),
  heic: z
    .boolean()
    .default(false)
    .describe('Whether HEIC is decoded, by libheif in WebAssembly, in a thread of its own for each image.'),
});

const worker = z.strictObject({
  modelThreads: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe('Threads for each model of a worker, each with an instance of its own.'),
});

const supervisor = z.strictObject({
  stuckMs: milliseconds(100, hour)
    .default(2000)
    .describe('A batch that TensorFlow does not return for so long is given up; below check.deadlineMs.'),
  harakiriMs: milliseconds(1000, hour)
    .default(30_000)
    .describe('Time for a worker with a stuck thread to finish everything else before it is killed.'),
  loadTimeoutMs: milliseconds(1000, hour).default(60_000).describe('Time for a model to load.'),
  heartbeatMs: milliseconds(50, 60_000).default(1000).describe('How often a worker pushes its snapshot.'),
  heartbeatTimeoutMs: milliseconds(200, hour)
    .default(10_000)
    .describe('A worker that was silent for so long is killed and forked again.'),
  bootTimeoutMs: milliseconds(1000, hour)
    .default(60_000)
    .describe('Time from fork to listening, beside the loads that come first.'),
  quarantineMs: milliseconds(0, 24 * hour)
    .default(600_000)
    .describe('How long an image that hung or crashed a worker is remembered, and refused after the second time.'),
  maxRequests: z
    .int()
    .min(0)
    .max(1_000_000_000)
    .default(0)
    .describe(
      'Requests to /v1/check after which another worker takes over, and up to 10 % more by chance; 0: no limit.',
    ),
  maxPrivateBytes: bytes(0, 1024 * gibibyte)
    .default(0)
    .describe('Private memory of a worker, in bytes, above which another takes over; 0: no limit.'),
  maxAgeMs: milliseconds(0, year)
    .default(0)
    .describe('Time that a worker listens before another takes over, and up to 10 % more by chance; 0: no limit.'),
});

const shutdown = z.strictObject({
  graceMs: milliseconds(0, hour).default(30_000).describe('Time for work in flight to finish at TERM or INT.'),
});

const health = z.strictObject({
  minServingWorkers: z.int().min(1).max(1024).default(1).describe('Workers that must serve for /readyz to say 200.'),
});

const log = z.strictObject({
  level: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least severe event that is logged.'),
  format: z.enum(['json', 'pretty']).default('json').describe('Form of events, on stderr.'),
  access: z.enum(['uwsgi', 'json', 'off']).default('uwsgi').describe('Form of the access log, on stdout.'),
  accessFormat: z.string().min(1).default(defaultAccessFormat).describe('uWSGI log-format of an access line.'),
});

/** Every option: allowed range, default, and one sentence. `config/default.yaml` is written from here. */
export const configSchema = z
  .strictObject({
    server: server.prefault({}),
    ops: ops.prefault({}),
    workers: z
      .union([z.literal('auto'), z.int().min(1).max(1024)])
      .default('auto')
      .describe('Worker processes; auto: one for each CPU that the cgroup allows, as many as its memory limit holds.'),
    model: model.prefault({}),
    models: models.prefault({}),
    check: check.prefault({}),
    rules: pictureRules
      .default({})
      .describe('Picture rules by the name of their profile; that named default is for an upload which names none.'),
    policies: policies
      .default({})
      .describe('Thresholds that go over those of the manifests: by policy, by model, by label.'),
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
    if (stuckMs >= deadlineMs) refuse('stuckMs', `not below check.deadlineMs, which is ${String(deadlineMs)}`);
    if (heartbeatTimeoutMs > heartbeatMs) return;
    refuse('heartbeatTimeoutMs', `not above supervisor.heartbeatMs, which is ${String(heartbeatMs)}`);
  })
  .readonly();

/** The whole configuration, checked. */
export type Config = z.infer<typeof configSchema>;
