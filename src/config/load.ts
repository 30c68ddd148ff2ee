import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import type { z } from 'zod';
import { exitCodes, ExitError, toMessage } from '../errors.ts';
import { findUserCache } from '../user-cache.ts';
import { listOptions, type Option } from './options.ts';
import { type Config, configSchema } from './schema.ts';

/** Sources of values beside the defaults. */
export interface ConfigSources {
  /** Folder of the project: contains `config/`; relative paths in options are resolved against it. */
  readonly rootDir: string;
  readonly environment: NodeJS.ProcessEnv;
  /** `--config FILE` */
  readonly file?: string;
  /** Flags by option path; their source is the flag's name. */
  readonly flags?: ReadonlyMap<string, { readonly value: unknown; readonly source: string }>;
}

/** An option's value and its source. */
export interface Setting {
  readonly option: Option;
  readonly value: unknown;
  readonly source: string;
}

export interface LoadedConfig {
  readonly config: Config;
  readonly settings: readonly Setting[];
}

type Values = Map<string, { readonly value: unknown; readonly source: string }>;

/**
 * Reads default.yaml, the environment's file, `--config`, IMAGE_CHECK_… variables and flags; later ones override.
 * @throws {@link ExitError} 78 with name, value, range and source of every invalid option
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const options = listOptions();
  const values: Values = new Map();
  for (const file of listFiles(sources)) readFileInto(values, file, options);
  readEnvironmentInto(values, sources.environment, options);
  for (const [name, flag] of sources.flags ?? []) values.set(name, flag);
  assertKnown(values, options);
  const config = toConfig(values, options);
  const dir = path.resolve(sources.rootDir, config.models.dir);
  const { artefactDir } = config.model;
  const model = {
    ...config.model,
    artefactDir: artefactDir === '' ? toArtefactDir(sources.environment) : path.resolve(artefactDir),
  };
  return { config: { ...config, model, models: { ...config.models, dir } }, settings: toSettings(values, options) };
}

/** A user without a home has no artefact cache; artefacts beside the models are still found. */
function toArtefactDir(environment: NodeJS.ProcessEnv): string {
  return path.join(findUserCache(environment) ?? '/nonexistent', 'compiled');
}

function listFiles({ rootDir, environment, file }: ConfigSources): string[] {
  const configDir = path.join(rootDir, 'config');
  const files = [path.join(configDir, 'default.yaml')];
  const nodeEnv = environment['NODE_ENV'];
  if (nodeEnv !== undefined && /^[\w-]+$/.test(nodeEnv)) files.push(path.join(configDir, `${nodeEnv}.yaml`));
  const existing = files.filter((name) => existsSync(name));
  return file === undefined ? existing : [...existing, file];
}

function readFileInto(values: Values, file: string, options: readonly Option[]): void {
  let content: unknown;
  try {
    content = parse(readFileSync(file, 'utf8'));
  } catch (thrown) {
    throw new ExitError(exitCodes.configuration, `configuration ${file}: ${toMessage(thrown).split('\n')[0] ?? ''}`);
  }
  const leaves = new Set(options.map((option) => option.path));
  const visit = (value: unknown, names: readonly string[]): void => {
    const name = names.join('.');
    if (!leaves.has(name) && isRecord(value)) {
      for (const [key, child] of Object.entries(value)) visit(child, [...names, key]);
    } else if (names.length > 0) values.set(name, { value, source: file });
    else if (value !== null) throw new ExitError(exitCodes.configuration, `configuration ${file}: must be a mapping`);
  };
  visit(content, []);
}

/**
 * Ignores variables that name no option: Kubernetes sets IMAGE_CHECK_SERVICE_HOST and others for a service of that name.
 */
function readEnvironmentInto(values: Values, environment: NodeJS.ProcessEnv, options: readonly Option[]): void {
  for (const option of options) {
    const text = environment[option.variable];
    if (text !== undefined) values.set(option.path, { value: toValue(text, option), source: option.variable });
  }
}

/** Parses the value of a variable or a flag; lists are comma-separated, an empty text is an empty list. */
export function toValue(text: string, option: Option): unknown {
  if (option.isList) return text.trim() === '' ? [] : text.split(',').map((item) => item.trim());
  if (typeof option.defaultValue === 'string' && !/^\d+$/.test(text)) return text;
  try {
    return parse(text) as unknown;
  } catch {
    // Invalid YAML fails validation, which names the option.
    return text;
  }
}

function assertKnown(values: Values, options: readonly Option[]): void {
  const known = new Set(options.map((option) => option.path));
  const faults = [...values]
    .filter(([name]) => !known.has(name))
    .map(([name, { source }]) => `${name}: no such option (${source})`);
  if (faults.length > 0) throw new ExitError(exitCodes.configuration, `configuration: ${faults.join('; ')}`);
}

function toConfig(values: Values, options: readonly Option[]): Config {
  const tree: Record<string, unknown> = {};
  for (const [name, { value }] of values) setPath(tree, name.split('.'), value);
  const parsed = configSchema.safeParse(tree);
  if (parsed.success) return parsed.data;
  const faults = new Set(parsed.error.issues.map((issue) => toFault(issue, values, options)));
  throw new ExitError(exitCodes.configuration, `configuration: ${[...faults].join('; ')}`);
}

function toFault(issue: z.core.$ZodIssue, values: Values, options: readonly Option[]): string {
  const full = issue.path.join('.');
  const name = toOptionPath(issue.path, options);
  const setting = values.get(name);
  const option = options.find((known) => known.path === name);
  const source = setting?.source ?? 'default';
  // The value of a whole mapping would hide the fault.
  if (option?.isMapping) return `${full}: ${toReason(issue)} (${source})`;
  const value = JSON.stringify(setting ? setting.value : option?.defaultValue);
  const isClash = issue.code === 'custom' && full === name;
  return `${name}: ${value} is ${isClash ? issue.message : `not within ${option?.range ?? ''}`} (${source})`;
}

/** Zod nests the reason of an invalid name. */
function toReason(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_key' ? `the name ${issue.issues[0]?.message ?? ''}` : issue.message;
}

/** A fault inside a list or a mapping belongs to its option. */
function toOptionPath(issue: readonly PropertyKey[], options: readonly Option[]): string {
  const full = issue.join('.');
  return options.find((option) => full === option.path || full.startsWith(`${option.path}.`))?.path ?? full;
}

function toSettings(values: Values, options: readonly Option[]): Setting[] {
  return options.map((option) => {
    const set = values.get(option.path);
    return { option, value: set ? set.value : option.defaultValue, source: set?.source ?? 'default' };
  });
}

function setPath(tree: Record<string, unknown>, names: readonly string[], value: unknown): void {
  const [name, ...rest] = names;
  if (name === undefined) return;
  if (rest.length === 0) {
    tree[name] = value;
    return;
  }
  const child = tree[name];
  const branch: Record<string, unknown> = isRecord(child) ? child : {};
  tree[name] = branch;
  setPath(branch, rest, value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
