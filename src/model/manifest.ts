import { z } from 'zod';
import { toShortList } from '../short-list.ts';

const perChannel = z.union([z.number(), z.tuple([z.number(), z.number(), z.number()])]);
const score = z.number().min(0).max(1);
const thresholds = z.strictObject({ review: score.optional(), reject: score.optional() });
const policy = z.record(z.string(), thresholds);
const fileName = z.string().regex(/^(?!.*(^|\/)\.\.(\/|$))[^/\\].*$/, 'must be a path inside the folder of the model');

/** How an image is resized to the model's input size. */
export const resizeModes = ['cover', 'contain', 'stretch', 'long-side'] as const;

/** How input pixels are computed: by a filter, or sampled like `tf.image.resize` without `antialias`. */
export const kernels = ['lanczos', 'bilinear', 'bicubic', 'nearest'] as const;

/** Sample positions: TensorFlow's `half_pixel_centers`, `align_corners`, or neither. */
export const coordinates = ['half-pixel', 'align-corners', 'asymmetric'] as const;

/** How JPEGs are decoded: `fast` is the default of `tf.io.decode_jpeg` and `tf.node.decodeImage`. */
export const jpegDcts = ['accurate', 'fast'] as const;

/** Input channels of the network: three, or luma only. */
export const colours = ['rgb', 'bgr', 'grey'] as const;

const input = z.strictObject({
  width: z.int().min(1).max(4096),
  height: z.int().min(1).max(4096),
  resize: z.enum(resizeModes),
  /** Images whose shorter side has fewer pixels are not judged. */
  minSide: z.int().min(1).max(4096).optional(),
  kernel: z.enum(kernels).default('lanczos'),
  coordinates: z.enum(coordinates).default('half-pixel'),
  jpegDct: z.enum(jpegDcts).default('accurate'),
  colour: z.enum(colours).default('rgb'),
  /** x · scale + offset, for x in 0…255. */
  normalise: z.strictObject({ scale: perChannel, offset: perChannel }).default({ scale: 1, offset: 0 }),
  tensor: z.string().optional(),
  signature: z.string().default('serving_default'),
  tags: z.array(z.string()).default(['serve']),
});

/** A second output: scores by position in the raster, `[n, height, width, labels]`. */
const map = z.strictObject({
  tensor: z.string().min(1),
  width: z.int().min(1).max(4096),
  height: z.int().min(1).max(4096),
});

const output = z.strictObject({
  kind: z.enum(['multi-label', 'single-label']),
  activation: z.enum(['none', 'sigmoid', 'softmax']).default('none'),
  labels: z.array(z.string().min(1)).min(1),
  tensor: z.string().optional(),
  map: map.optional(),
});

const golden = z.strictObject({
  image: fileName,
  /** In the order of `output.labels`. */
  scores: z.array(z.number()),
  /** Largest absolute difference that passes. */
  tolerance: z.number().positive().default(0.01),
});

/** Schema of `models/<name>/<version>/manifest.json`. */
const manifestSchema = z
  .strictObject({
    format: z.enum(['tf-savedmodel', 'tfjs-graph', 'tfjs-layers']),
    input,
    output,
    policy: policy.default({}),
    /** Other thresholds by policy name; labels missing from one use those of `policy`. */
    policies: z.record(z.string(), policy).optional(),
    /** SHA-256 in base64 of every file of the model. */
    files: z.record(fileName, z.string().regex(/^sha256-[A-Za-z0-9+/]{43}=$/, 'must be sha256-<base64>')),
    golden: z.array(golden).default([]),
  })
  .superRefine((manifest, context) => {
    const { labels } = manifest.output;
    const { kernel, coordinates, jpegDct, colour, normalise } = manifest.input;
    if (kernel === 'lanczos' && coordinates !== 'half-pixel') {
      const message = 'is for the kernels bilinear, bicubic and nearest';
      context.addIssue({ code: 'custom', path: ['input', 'coordinates'], message });
    }
    if (kernel === 'lanczos' && jpegDct !== 'accurate') {
      const message = 'is fast only with the kernels bilinear, bicubic and nearest';
      context.addIssue({ code: 'custom', path: ['input', 'jpegDct'], message });
    }
    if (colour === 'grey' && [normalise.scale, normalise.offset].some((values) => typeof values !== 'number')) {
      const message = 'is one number each where input.colour is grey';
      context.addIssue({ code: 'custom', path: ['input', 'normalise'], message });
    }
    if (new Set(labels).size !== labels.length) {
      context.addIssue({ code: 'custom', path: ['output', 'labels'], message: 'names a label twice' });
    }
    if (manifest.output.map && manifest.output.map.tensor === manifest.output.tensor) {
      context.addIssue({ code: 'custom', path: ['output', 'map', 'tensor'], message: 'is that of the scores' });
    }
    const named = Object.entries(manifest.policies ?? {}).map(([name, named]) => [['policies', name], named] as const);
    for (const [path, thresholds] of [[['policy'], manifest.policy] as const, ...named]) {
      for (const label of Object.keys(thresholds).filter((name) => !labels.includes(name))) {
        context.addIssue({ code: 'custom', path: [...path, label], message: 'is not among output.labels' });
      }
    }
    if (named.some(([[, name]]) => name === 'default')) {
      context.addIssue({ code: 'custom', path: ['policies', 'default'], message: 'is written as policy' });
    }
    for (const [index, { scores }] of manifest.golden.entries()) {
      if (scores.length === labels.length) continue;
      const message = `has ${String(scores.length)} scores for ${String(labels.length)} labels`;
      context.addIssue({ code: 'custom', path: ['golden', index, 'scores'], message });
    }
  });

export type Manifest = z.infer<typeof manifestSchema>;

/**
 * Parses a manifest.
 * @throws Error with all faults in one line
 */
export function toManifest(json: string): Manifest {
  const parsed = manifestSchema.safeParse(JSON.parse(json));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new Error(toShortList(faults, '; '));
}
