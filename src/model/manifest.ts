import { z } from 'zod';
import { toShortList } from '../short-list.ts';

const perChannel = z.union([z.number(), z.tuple([z.number(), z.number(), z.number()])]);
const score = z.number().min(0).max(1);
const thresholds = z.strictObject({ review: score.optional(), reject: score.optional() });
const policy = z.record(z.string(), thresholds);
const fileName = z.string().regex(/^(?!.*(^|\/)\.\.(\/|$))[^/\\].*$/, 'must be a path inside the folder of the model');

/** How pictures can be brought to a model's input size. */
export const resizeModes = ['cover', 'contain', 'stretch', 'long-side'] as const;

/** How the pixels of the input are computed: by a filter, or sampled as `tf.image.resize` does without `antialias`. */
export const kernels = ['lanczos', 'bilinear', 'bicubic', 'nearest'] as const;

/** Where samples lie: `half_pixel_centers`, `align_corners`, or neither of the two, in TensorFlow's words. */
export const coordinates = ['half-pixel', 'align-corners', 'asymmetric'] as const;

/** How JPEGs are decoded: `fast` as `tf.io.decode_jpeg` and `tf.node.decodeImage` do where they are not told otherwise. */
export const jpegDcts = ['accurate', 'fast'] as const;

/** What a network is given of each pixel: three channels, or their luma. */
export const colours = ['rgb', 'bgr', 'grey'] as const;

const input = z.strictObject({
  width: z.int().min(1).max(4096),
  height: z.int().min(1).max(4096),
  resize: z.enum(resizeModes),
  /** The model says nothing of pictures whose shorter side has fewer pixels. */
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

/** A second output: where in the raster each label shows, `[n, height, width, labels]`. */
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

/** What `models/<name>/<version>/manifest.json` says. */
const manifestSchema = z
  .strictObject({
    format: z.enum(['tf-savedmodel', 'tfjs-graph', 'tfjs-layers']),
    input,
    output,
    policy: policy.default({}),
    /** Other thresholds by the name of a policy; labels that one leaves out have those of `policy`. */
    policies: z.record(z.string(), policy).optional(),
    /** SHA-256 in base64 of every file that the model consists of. */
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
 * Reads a manifest's text.
 * @throws Error with the faults in one line.
 */
export function toManifest(json: string): Manifest {
  const parsed = manifestSchema.safeParse(JSON.parse(json));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new Error(toShortList(faults, '; '));
}
