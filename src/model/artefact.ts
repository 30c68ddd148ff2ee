import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { toMessage } from '../errors.ts';
import { hidePaths } from '../public-text.ts';
import type { Manifest } from './manifest.ts';
import { readFileHash } from './model-files.ts';
import type { ModelVersion } from './model-version.ts';

/** Increased with every change of the compiler that changes its graphs; artefacts of other versions are stale. */
const compilerVersion = 1;

/** The folder of a shipped artefact, inside the folder of its model. */
const ownFolder = 'compiled';

export const artefactFile = 'artefact.json';
export const graphFile = 'saved_model.pb';

/** Cost of one batch size. */
export interface BatchCost {
  readonly size: number;
  /** Shortest of several runs. */
  readonly perImageMs: number;
  /** Growth of the process's native memory since before the graph was loaded. */
  readonly privateBytes: number;
}

/** `artefact.json` of a compiled graph. */
export interface CompiledArtefact {
  readonly kind: 'compiled';
  readonly key: string;
  readonly compilerVersion: number;
  readonly tensorflowVersion: string;
  /** Hashes of the model's files, from the manifest. */
  readonly files: Readonly<Record<string, string>>;
  readonly graphHash: string;
  readonly graphBytes: number;
  readonly nodes: number;
  /** Load and first run, in a process that has loaded TensorFlow before. */
  readonly loadMs: number;
  readonly usefulBatch: number;
  readonly batches: readonly BatchCost[];
  /** Largest difference from a score of the original, maps included, over golden and random images. */
  readonly maxDifference: number;
}

/** Written so that a model that can't be compiled is tried once, not at every start. */
interface RefusedArtefact {
  readonly kind: 'refused';
  readonly key: string;
  readonly reason: string;
}

export type Artefact = CompiledArtefact | RefusedArtefact;

/** The type of each field. Model threads check it while a request waits; loading zod for it would take 45 ms of CPU. */
const kindOf = {
  compiled: {
    ...{ key: 'string', compilerVersion: 'number', tensorflowVersion: 'string', files: 'object', graphHash: 'string' },
    ...{ graphBytes: 'number', nodes: 'number', loadMs: 'number', usefulBatch: 'number', batches: 'object' },
    maxDifference: 'number',
  },
  refused: { key: 'string', reason: 'string' },
} as const;

/** The artefact of a model, if any; `faults` has one line for each damaged artefact that was skipped. */
export type FoundArtefact = { readonly faults: readonly string[] } & (
  | { readonly kind: 'compiled'; readonly dir: string; readonly artefact: CompiledArtefact }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'none' }
);

/** Hashes everything that a compiled graph depends on: parts of the manifest, model files, compiler and TensorFlow versions. */
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

/** The fields of every artefact that say what it was made from. */
export function toProvenance(
  manifest: Manifest,
  tensorflowVersion: string,
): Pick<CompiledArtefact, 'key' | 'compilerVersion' | 'tensorflowVersion' | 'files'> {
  const key = toArtefactKey(manifest, tensorflowVersion);
  return { key, compilerVersion, tensorflowVersion, files: manifest.files };
}

/** The folders for a model's artefact: beside the model, or in the cache where the models folder is read-only. */
export function toArtefactDirs(model: ModelVersion, cacheDir: string, key: string): { own: string; cached: string } {
  return {
    own: path.join(model.dir, ownFolder),
    cached: path.join(cacheDir, `${model.name}-${model.version}-${key}`),
  };
}

/** Finds the artefact made from this model for this version of TensorFlow; stale ones are ignored. */
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
      assertGraph(dir, artefact);
      return { kind: 'compiled', dir, artefact, faults };
    } catch (thrown) {
      faults.push(`${path.basename(dir)}: ${hidePaths(toMessage(thrown), dir)}`);
    }
  }
  return { kind: 'none', faults };
}

/** Reads the `artefact.json` of a compiled graph. @throws Error if `dir` has none */
export async function readArtefact(dir: string): Promise<CompiledArtefact> {
  const artefact = await readAny(dir);
  if (artefact?.kind === 'compiled') return artefact;
  throw new Error(`${dir}: ${artefact ? artefact.reason : 'no artefact'}`);
}

async function readAny(dir: string): Promise<Artefact | undefined> {
  const json = await readFile(path.join(dir, artefactFile), 'utf8').catch((thrown: unknown) => {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined;
    throw thrown;
  });
  if (json === undefined) return undefined;
  const artefact: unknown = JSON.parse(json);
  assertArtefact(artefact);
  return artefact;
}

/** @throws Error that names the wrong fields */
function assertArtefact(value: unknown): asserts value is Artefact {
  const artefact = (typeof value === 'object' ? value : null) as Record<string, unknown> | null;
  const kind = artefact?.['kind'];
  if (artefact === null || (kind !== 'compiled' && kind !== 'refused')) {
    throw new Error(`${artefactFile}: kind is neither compiled nor refused`);
  }
  const wrong = Object.entries(kindOf[kind]).filter(
    ([name, wanted]) => typeof artefact[name] !== wanted || artefact[name] === null,
  );
  if (wrong.length > 0) throw new Error(`${artefactFile}: ${wrong.map(([name]) => name).join(', ')} is wrong`);
}

function assertGraph(dir: string, { graphHash }: CompiledArtefact): void {
  const found = readFileHash(path.join(dir, graphFile));
  if (found !== graphHash) throw new Error(`${graphFile}: its hash is ${found}, ${artefactFile} says ${graphHash}`);
}
