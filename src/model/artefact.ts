import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { toMessage } from '../errors.ts';
import { hidePaths } from '../public-text.ts';
import type { Manifest } from './manifest.ts';
import { readFileHash } from './model-files.ts';
import type { ModelVersion } from './model-version.ts';

/** Counts changes of the compiler that make other graphs; an artefact of another one is stale. */
const compilerVersion = 1;

/** The folder of a shipped artefact, inside its model's. */
const ownFolder = 'compiled';

export const artefactFile = 'artefact.json';
export const graphFile = 'saved_model.pb';

/** What one batch size costs. */
export interface BatchCost {
  readonly size: number;
  /** Shortest of several runs. */
  readonly perImageMs: number;
  /** What the process's native memory grew by since before the graph was loaded. */
  readonly privateBytes: number;
}

/** What `artefact.json` says of a compiled graph. */
export interface CompiledArtefact {
  readonly kind: 'compiled';
  readonly key: string;
  readonly compilerVersion: number;
  readonly tensorflowVersion: string;
  /** Of the model's files, as the manifest has them. */
  readonly files: Readonly<Record<string, string>>;
  readonly graphHash: string;
  readonly graphBytes: number;
  readonly nodes: number;
  /** Load and first run, in a process that had TensorFlow already. */
  readonly loadMs: number;
  readonly usefulBatch: number;
  readonly batches: readonly BatchCost[];
  /** Largest difference of a score, or of one in a map, from the original's, over golden and random images. */
  readonly maxDifference: number;
}

/** Kept so that a model that can't be compiled is tried once, not at every start. */
interface RefusedArtefact {
  readonly kind: 'refused';
  readonly key: string;
  readonly reason: string;
}

export type Artefact = CompiledArtefact | RefusedArtefact;

/** The kind of each value. Model threads read it while somebody waits, and zod alone takes 45 ms of CPU to load. */
const kindOf = {
  compiled: {
    ...{ key: 'string', compilerVersion: 'number', tensorflowVersion: 'string', files: 'object', graphHash: 'string' },
    ...{ graphBytes: 'number', nodes: 'number', loadMs: 'number', usefulBatch: 'number', batches: 'object' },
    maxDifference: 'number',
  },
  refused: { key: 'string', reason: 'string' },
} as const;

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
      assertGraph(dir, artefact);
      return { kind: 'compiled', dir, artefact, faults };
    } catch (thrown) {
      faults.push(`${path.basename(dir)}: ${hidePaths(toMessage(thrown), dir)}`);
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
  const artefact: unknown = JSON.parse(json);
  assertArtefact(artefact);
  return artefact;
}

/** @throws Error that names what is not as this program writes it. */
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
