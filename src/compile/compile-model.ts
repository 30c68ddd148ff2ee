import { access, constants, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { toMessage } from '../errors.ts';
import { loadCompiledGraph } from '../inference/engines/compiled-model.ts';
import type { LoadedModel } from '../inference/engines/engine.ts';
import { loadOriginalModel } from '../inference/engines/original-model.ts';
import type { TensorFlow } from '../inference/engines/tensorflow.ts';
import { getTensorFlowVersion } from '../inference/engines/tensorflow-binding.ts';
import { type CompiledArtefact, graphFile, toArtefactDirs, toProvenance } from '../model/artefact.ts';
import { toFileHash } from '../model/model-files.ts';
import type { ModelVersion } from '../model/model-version.ts';
import { writeArtefact } from './artefact-folder.ts';
import { freezeSavedModel } from './freeze/freeze.ts';
import { addPreAndPostProcessing } from './freeze/pre-and-post-processing.ts';
import { CompileRefusal } from './graph/compile-refusal.ts';
import type { GraphProto } from './graph/proto.ts';
import { toSavedModel } from './graph/saved-model.ts';
import { chooseUsefulBatch } from './measure/batches.ts';
import { measureGraph } from './measure/measure.ts';
import { simplifyGraph } from './simplify/simplify.ts';
import { traceNetwork } from './trace/trace.ts';
import { verifyCompiled } from './verify/verify.ts';

/** Options of a compilation. */
export interface CompileOptions {
  /** The user's artefact cache, for read-only models folders. */
  readonly cacheDir: string;
  /** Folder for the artefact, instead of beside the model or in the cache. */
  readonly outDir?: string;
  /** A worker's environment, for the process that measures the graph. */
  readonly environment: NodeJS.ProcessEnv;
  /** Golden images, uint8 `[height, width, 3]` each; both forms are compared on them and on random images. */
  readonly rasters: readonly Uint8Array[];
}

/** Result of a compilation; a refused model is served in its original form. */
export type CompileOutcome =
  | { readonly kind: 'compiled'; readonly dir: string; readonly artefact: CompiledArtefact }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Compiles a model to one frozen graph, verifies it against the original and measures it. Must not run in a serving process.
 * @param files the model's verified files by name
 * @throws Error if the model itself is broken: its original form doesn't run either
 */
export async function compileModel(
  tf: TensorFlow,
  model: ModelVersion,
  files: ReadonlyMap<string, Buffer>,
  options: CompileOptions,
): Promise<CompileOutcome> {
  const provenance = toProvenance(model.manifest, getTensorFlowVersion(tf));
  const original = await loadOriginalModel(tf, model, files);
  try {
    await runOnce(original, model);
    const graph = await buildGraph(tf, model, files);
    const made = await proveGraph(tf, model, graph, original, options);
    const dir = await chooseDir(model, options, provenance.key);
    const artefact = { kind: 'compiled' as const, ...provenance, ...made.facts };
    await writeArtefact(dir, artefact, made.bytes);
    return { kind: 'compiled', dir, artefact };
  } catch (thrown) {
    if (!(thrown instanceof CompileRefusal)) throw thrown;
    const reason = thrown.message;
    const refused = { kind: 'refused' as const, key: provenance.key, reason };
    await writeArtefact(await chooseDir(model, options, provenance.key), refused, undefined);
    return { kind: 'refused', reason };
  } finally {
    original.dispose();
  }
}

/** A model whose original form doesn't run is broken, not refused. */
async function runOnce(original: LoadedModel, { manifest }: ModelVersion): Promise<void> {
  const { width, height } = manifest.input;
  const picture = new Uint8Array(width * height * 3).fill(128);
  const scores = await original.run(picture.slice(), 1);
  if (!scores.every(Number.isFinite)) throw new Error('a score of the model is not a number');
  const explained = await original.explain?.(picture, 1);
  if (explained && !explained.maps.every(Number.isFinite)) {
    throw new Error("a score in the model's map is not a number");
  }
}

async function buildGraph(
  tf: TensorFlow,
  model: ModelVersion,
  files: ReadonlyMap<string, Buffer>,
): Promise<GraphProto> {
  const { manifest, dir } = model;
  const roots = ['images', 'scores', ...(manifest.output.map ? ['map'] : [])];
  switch (manifest.format) {
    case 'tf-savedmodel': {
      const frozen = await freezeSavedModel(tf, dir, manifest.input.tags, manifest.input.signature);
      return simplifyGraph(addPreAndPostProcessing(frozen, manifest), roots, new Map());
    }
    case 'tfjs-graph':
    case 'tfjs-layers': {
      // The model has just run with one image: what fails here is a larger batch.
      const traced = await traceNetwork(tf, model, files).catch(refuse);
      return simplifyGraph(traced.graph, roots, traced.shapes);
    }
  }
}

type Facts = Pick<
  CompiledArtefact,
  'graphHash' | 'graphBytes' | 'nodes' | 'loadMs' | 'usefulBatch' | 'batches' | 'maxDifference'
>;

/** Verifies and measures the graph in a temporary folder, before it can be served. */
async function proveGraph(
  tf: TensorFlow,
  model: ModelVersion,
  graph: GraphProto,
  original: LoadedModel,
  { rasters, environment }: CompileOptions,
): Promise<{ bytes: Uint8Array; facts: Facts }> {
  const { width, height } = model.manifest.input;
  const { labels, map } = model.manifest.output;
  const bytes = toSavedModel(graph, { width, height }, labels.length, map);
  const staging = await mkdtemp(path.join(tmpdir(), 'image-check-compile-'));
  try {
    await writeFile(path.join(staging, graphFile), bytes);
    const compiled = await Promise.resolve()
      .then(() => loadCompiledGraph(model, staging, undefined))
      .catch(refuse);
    try {
      const maxDifference = await verifyCompiled(original, compiled, { rasters, width, height });
      const { batches, loadMs } = await measureGraph({ dir: staging, model }, environment);
      const graphFacts = { graphHash: toFileHash(bytes), graphBytes: bytes.length, nodes: graph.node.length };
      const costs = { usefulBatch: chooseUsefulBatch(batches), batches: [...batches], loadMs };
      return { bytes, facts: { ...graphFacts, ...costs, maxDifference } };
    } finally {
      compiled.dispose();
    }
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Beside the model if its folder is writable, else in the cache. */
async function chooseDir(model: ModelVersion, { cacheDir, outDir }: CompileOptions, key: string): Promise<string> {
  if (outDir !== undefined) return path.resolve(outDir);
  const { own, cached } = toArtefactDirs(model, cacheDir, key);
  const isWritable = await access(model.dir, constants.W_OK).then(
    () => true,
    () => false,
  );
  return isWritable ? own : cached;
}

/** The original form runs, so any error of TensorFlow or tfjs about the graph is a reason to serve that instead. */
function refuse(thrown: unknown): never {
  if (thrown instanceof CompileRefusal) throw thrown;
  throw new CompileRefusal(toMessage(thrown), { cause: thrown });
}
