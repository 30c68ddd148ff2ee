import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { toMessage } from '../errors.ts';
import type { Manifest } from '../model/manifest.ts';
import { toConversionHint } from './conversion-hint.ts';
import { parseJson } from './parse-json.ts';

/** One file of a model: its name in the manifest and its current path. */
export interface SourceFile {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

/** Format and files of a model. */
export interface FoundModel {
  readonly format: Manifest['format'];
  readonly files: readonly SourceFile[];
}

/** Node's limit for reading a whole file. */
const maxFileBytes = 2 ** 31 - 1;

const bytesOf: Readonly<Record<string, number>> = {
  float32: 4,
  float16: 2,
  int32: 4,
  uint16: 2,
  uint8: 1,
  bool: 1,
  complex64: 8,
};

const weight = z.looseObject({
  name: z.string(),
  shape: z.array(z.int().min(0)),
  dtype: z.string(),
  quantization: z.looseObject({ dtype: z.string() }).optional(),
});
const modelJson = z.looseObject({
  format: z.string().optional(),
  modelTopology: z.looseObject({}),
  weightsManifest: z.array(z.looseObject({ paths: z.array(z.string()), weights: z.array(weight) })),
});
type ModelJson = z.infer<typeof modelJson>;

/**
 * Determines the format and the files of a model without running it.
 * @param source the folder of a model, its model.json or saved_model.pb, or TensorFlow Serving's folder of versions, whose
 * highest one is used
 * @throws Error that names the file and the fault
 */
export async function inspectModel(source: string): Promise<FoundModel> {
  const found = await stat(source).catch((thrown: unknown) => {
    throw new Error(`${source}: can't be read: ${toMessage(thrown)}`, { cause: thrown });
  });
  if (!found.isDirectory()) return inspectFile(source);
  const names = await readdir(source);
  const known = ['saved_model.pb', 'model.json'].filter((name) => names.includes(name));
  if (known.length === 1) return inspectFile(path.join(source, String(known[0])));
  if (known.length > 1) throw new Error(`${source}: holds ${known.join(' and ')}; name the one that is meant`);
  const served = await findServed(source, names);
  if (served !== undefined) return inspectModel(served);
  // Last, as the files that `checkpoint` lists give better hints.
  const [others, last] = [names.filter((name) => name !== 'checkpoint'), names.filter((name) => name === 'checkpoint')];
  const hints = [...others.sort(), ...last].flatMap((name) => toConversionHint(path.join(source, name)) ?? []);
  throw new Error(hints[0] ?? `${source}: holds neither a model.json (tfjs) nor a saved_model.pb (SavedModel)`);
}

/** TensorFlow Serving has a folder per version and serves the highest. */
async function findServed(source: string, names: readonly string[]): Promise<string | undefined> {
  const versions = names.filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(b) - Number(a));
  for (const version of versions) {
    const inside = await readdir(path.join(source, version)).catch(() => []);
    if (inside.some((name) => name === 'saved_model.pb' || name === 'model.json')) return path.join(source, version);
  }
  return undefined;
}

function inspectFile(file: string): Promise<FoundModel> {
  if (path.basename(file) === 'saved_model.pb') return inspectSavedModel(path.dirname(file));
  if (file.endsWith('.json')) return inspectTfjs(file);
  throw new Error(
    toConversionHint(file) ?? `${file}: is neither a model.json (tfjs) nor a saved_model.pb (SavedModel)`,
  );
}

async function inspectTfjs(file: string): Promise<FoundModel> {
  const topology = await measureFile('model.json', file);
  const model = parseModelJson(file, await readFile(file, 'utf8'));
  const shards: SourceFile[] = [];
  for (const { paths, weights } of model.weightsManifest) {
    const group: SourceFile[] = [];
    for (const name of paths) {
      group.push(await measureFile(assertInside(file, name), path.join(path.dirname(file), name)));
    }
    assertGroup(file, group, weights);
    shards.push(...group);
  }
  return { format: toFormat(file, model), files: [topology, ...shards] };
}

function parseModelJson(file: string, text: string): ModelJson {
  const parsed = modelJson.safeParse(parseJson(file, text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`${file}: is not a tfjs model: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

function toFormat(file: string, { format, modelTopology }: ModelJson): Manifest['format'] {
  if (format === 'graph-model' || Array.isArray(modelTopology['node'])) return 'tfjs-graph';
  if (format === 'layers-model' || 'model_config' in modelTopology || 'class_name' in modelTopology) {
    return 'tfjs-layers';
  }
  throw new Error(`${file}: is neither a tfjs graph model nor a tfjs layers model (format ${String(format)})`);
}

/** The model is untrusted: it must not refer to files outside its folder. */
function assertInside(file: string, name: string): string {
  if (name !== '' && !path.isAbsolute(name) && !name.includes('\\') && !name.split('/').includes('..')) return name;
  throw new Error(`${file}: names the weights '${name}', which are outside its folder`);
}

function assertGroup(file: string, shards: readonly SourceFile[], weights: readonly z.infer<typeof weight>[]): void {
  let wanted = 0;
  for (const { name, shape, dtype, quantization } of weights) {
    const size = bytesOf[quantization?.dtype ?? dtype];
    if (size === undefined) throw new Error(`${file}: the weight ${name} has the unknown type ${dtype}`);
    wanted += shape.reduce((product, length) => product * length, size);
  }
  const held = shards.reduce((sum, { bytes }) => sum + bytes, 0);
  if (held === wanted) return;
  const names = shards.map(({ name }) => name).join(', ');
  throw new Error(`${names}: ${String(held)} bytes, but the weights in ${file} take ${String(wanted)}`);
}

async function inspectSavedModel(dir: string): Promise<FoundModel> {
  const files = [await measureFile('saved_model.pb', path.join(dir, 'saved_model.pb'))];
  for (const part of ['variables', 'assets']) {
    const entries = await readdir(path.join(dir, part), { recursive: true, withFileTypes: true }).catch(() => []);
    const inside = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
    for (const file of inside.sort()) {
      files.push(await measureFile(path.relative(dir, file).replaceAll(path.sep, '/'), file));
    }
  }
  assertVariables(dir, files);
  return { format: 'tf-savedmodel', files };
}

/** TensorFlow's error for a missing shard names no file. */
function assertVariables(dir: string, files: readonly SourceFile[]): void {
  const names = new Set(files.map(({ name }) => name));
  const counts = [...names].map((name) => /^variables\/variables\.data-\d{5}-of-(\d{5})$/.exec(name)?.[1]);
  const count = Number(counts.find((digits) => digits !== undefined) ?? 0);
  const digits = (value: number): string => String(value).padStart(5, '0');
  const shards = Array.from({ length: count }, (_, at) => `variables/variables.data-${digits(at)}-of-${digits(count)}`);
  const isSplit = count > 0 || names.has('variables/variables.index');
  const wanted = isSplit ? ['variables/variables.index', ...shards] : [];
  const missing = wanted.filter((name) => !names.has(name));
  if (isSplit && count === 0) missing.push('variables/variables.data-00000-of-00001');
  if (missing.length > 0) throw new Error(`${path.join(dir, String(missing[0]))}: is missing`);
}

async function measureFile(name: string, file: string): Promise<SourceFile> {
  const found = await stat(file).catch((thrown: unknown) => {
    const isMissing = thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
    throw new Error(`${file}: ${isMissing ? 'is missing' : toMessage(thrown)}`, { cause: thrown });
  });
  if (!found.isFile()) throw new Error(`${file}: is not a file`);
  if (found.size > maxFileBytes) {
    throw new Error(`${file}: is ${String(found.size)} bytes; a file of a model has at most 2 GB`);
  }
  return { name, path: file, bytes: found.size };
}
