import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { toMessage } from '../errors.ts';
import type { Manifest } from './manifest.ts';
import { toFileHash } from './model-files.ts';
import type { ModelVersion } from './model-version.ts';

/** Counts changes of the compiler that make other graphs; an artefact of another one is stale. */
const compilerVersion = 1;

/** The folder of a shipped artefact, inside its model's. */
const ownFolder = 'compiled';

export const artefactFile = 'artefact.json';
export const graphFile = 'saved_model.pb';

const batchCost = z.object({
  size: z.int().min(1),
  /** Shortest of several runs. */
  perImageMs: z.number(),
  /** What the process's native memory grew by since before the graph was loaded. */
  privateBytes: z.number(),
});

const compiledArtefact = z.object({
  kind: z.literal('compiled'),
  key: z.string(),
  compilerVersion: z.int(),
  tensorflowVersion: z.string(),
  /** Of the model's files, as the manifest has them. */
  files: z.record(z.string(), z.string()),
  graphHash: z.string(),
  graphBytes: z.number(),
  nodes: z.number(),
  /** Load and first run, in a process that had TensorFlow already. */
  loadMs: z.number(),
  usefulBatch: z.int().min(1),
  batches: z.array(batchCost),
  /** Largest difference of a score, or of one in a map, from the original's, over golden and random images. */
  maxDifference: z.number(),
});

/** Kept so that a model that can't be compiled is tried once, not at every start. */
const refusedArtefact = z.object({ kind: z.literal('refused'), key: z.string(), reason: z.string() });

const artefactSchema = z.discriminatedUnion('kind', [compiledArtefact, refusedArtefact]);

/** What `artefact.json` says of a compiled graph. */
export type CompiledArtefact = z.infer<typeof compiledArtefact>;
export type Artefact = z.infer<typeof artefactSchema>;
/** What one batch size costs. */
export type BatchCost = z.infer<typeof batchCost>;

/** What there is for a model; `faults` says in one line each which artefacts were passed over although they should fit. */
export type FoundArtefact = { readonly faults: readonly string[] } & (
  | { readonly kind: 'compiled'; readonly dir: string; readonly artefact: CompiledArtefact }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'none' }
);

/** Everything that a compiled graph depends on: the manifest's say in it, the model's files, compiler and TensorFlow. */
export function toArtefactKey(manifest: Manifest, tensorflowVersion: string): string {
  const { width, height, colour, normalise, tensor, signature, tags } = manifest.input;
  const { activation, labels, map } = manifest.output;
  const inputs = [
    [compilerVersion, tensorflowVersion, manifest.format],
    [width, height, colour, normalise.scale, normalise.offset, tensor, signature, tags],
    [activation, labels.length, manifest.output.tensor, ...(map ? [map.tensor, map.width, map.height] : [])],
    Object.entries(manifest.files).sort(([a], [b]) => (a < b ? -1 : 1)),
  ];
  return createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 16);
}

/** What every artefact of a model says of where it comes from. */
export function toProvenance(
  manifest: Manifest,
  tensorflowVersion: string,
): Pick<CompiledArtefact, 'key' | 'compilerVersion' | 'tensorflowVersion' | 'files'> {
  const key = toArtefactKey(manifest, tensorflowVersion);
  return { key, compilerVersion, tensorflowVersion, files: manifest.files };
}

/** Where a model's artefact may be: beside the model, or in the cache where the models folder can't be written. */
export function toArtefactDirs(model: ModelVersion, cacheDir: string, key: string): { own: string; cached: string } {
  return {
    own: path.join(model.dir, ownFolder),
    cached: path.join(cacheDir, `${model.name}-${model.version}-${key}`),
  };
}

/** Finds the artefact that was made of exactly this model for this TensorFlow; a stale one counts as none. */
export async function findArtefact(
  model: ModelVersion,
  cacheDir: string,
  tensorflowVersion: string,
): Promise<FoundArtefact> {
  const key = toArtefactKey(model.manifest, tensorflowVersion);
  const { own, cached } = toArtefactDirs(model, cacheDir, key);
  const faults: string[] = [];
  for (const dir of [own, cached]) {
    try {
      const artefact = await readAny(dir);
      if (artefact?.key !== key) continue;
      if (artefact.kind === 'refused') return { kind: 'refused', reason: artefact.reason, faults };
      await assertGraph(dir, artefact);
      return { kind: 'compiled', dir, artefact, faults };
    } catch (thrown) {
      faults.push(`${dir}: ${toMessage(thrown)}`);
    }
  }
  return { kind: 'none', faults };
}

/** Reads what is known of a compiled graph. @throws Error where `dir` holds none. */
export async function readArtefact(dir: string): Promise<CompiledArtefact> {
  const artefact = await readAny(dir);
  if (artefact?.kind === 'compiled') return artefact;
  throw new Error(`${dir}: ${artefact ? artefact.reason : 'there is no artefact'}`);
}

async function readAny(dir: string): Promise<Artefact | undefined> {
  const json = await readFile(path.join(dir, artefactFile), 'utf8').catch((thrown: unknown) => {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined;
    throw thrown;
  });
  if (json === undefined) return undefined;
  const parsed = artefactSchema.safeParse(JSON.parse(json));
  if (parsed.success) return parsed.data;
  throw new Error(`${artefactFile}: ${parsed.error.issues.map(({ message }) => message).join('; ')}`);
}

async function assertGraph(dir: string, { graphHash }: CompiledArtefact): Promise<void> {
  const found = toFileHash(await readFile(path.join(dir, graphFile)));
  if (found !== graphHash) throw new Error(`${graphFile}: its hash is ${found}, ${artefactFile} says ${graphHash}`);
}
