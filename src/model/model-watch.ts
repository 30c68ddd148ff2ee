import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';

/** What one version of a model looks like on disk. */
interface VersionLook {
  /** Manifest without its policies, sizes and times of the files that it names; undefined while it is no JSON object. */
  readonly content: string | undefined;
  /** All thresholds. */
  readonly policies: string;
}

/** What the models folder looks like, by `<name>/<version>`. What the service writes itself, artefacts, is no part of it. */
export type ModelsLook = ReadonlyMap<string, VersionLook>;

interface ModelWatchOptions {
  /** A version came or went, or its manifest or files changed. */
  readonly onVersions: () => void;
  /** Thresholds of a version that stays changed. */
  readonly onPolicies: () => void;
  /** The folder to watch now; undefined while none is. */
  readonly dir: () => string | undefined;
  /** How `dir` looked before anybody read models from it. */
  readonly known: ModelsLook | undefined;
  readonly pollMs?: number;
}

/**
 * Polling works where inotify says nothing, on network drives and mounted volumes, for a few small reads each time.
 * A second is soon enough for something that a person or a deployment does.
 */
const defaultPollMs = 1000;

/**
 * Watches a models folder. A change counts once two polls in a row see the same: a copy that still grows is not taken up
 * half-way.
 * @returns a function that stops it
 */
export function startModelWatch(options: ModelWatchOptions): () => void {
  const { dir, known, pollMs = defaultPollMs } = options;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let watched = dir();
  let taken = known;
  let last: ModelsLook | undefined;

  const poll = async (): Promise<void> => {
    const current = dir();
    const look = current === undefined ? undefined : await readModelsLook(current);
    if (isStopped) return;
    if (current !== watched) [watched, taken, last] = [current, undefined, undefined];
    const isStable = look !== undefined && last !== undefined && isSame(look, last);
    last = look;
    if (isStable) taken = take(look, taken, options);
    schedule();
  };
  const schedule = (): void => {
    timer = setTimeout(() => void poll(), pollMs).unref();
  };
  schedule();
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}

/** Looks at every version below `dir`; undefined where the folder itself can't be read, as while a drive is away. */
export async function readModelsLook(dir: string): Promise<ModelsLook | undefined> {
  const names = await listNames(dir);
  if (names === undefined) return undefined;
  const look = new Map<string, VersionLook>();
  // One after the other: a drive that hangs then holds one thread of the pool and not all.
  for (const name of names) {
    const versions = (await listNames(path.join(dir, name))) ?? [];
    for (const version of versions.filter((entry) => /^\d+$/.test(entry))) {
      const seen = await lookAtVersion(path.join(dir, name, version));
      if (seen !== undefined) look.set(`${name}/${version}`, seen);
    }
  }
  return look;
}

/** Tells what is new in `look`. @returns what to compare with from now on */
function take(
  look: ModelsLook,
  taken: ModelsLook | undefined,
  { onPolicies, onVersions }: ModelWatchOptions,
): ModelsLook {
  if (taken === undefined) return look;
  const next = new Map<string, VersionLook>();
  let hasNewVersions = [...taken.keys()].some((key) => !look.has(key));
  let hasNewPolicies = false;
  for (const [key, seen] of look) {
    const before = taken.get(key);
    // Somebody edits: while nothing can be read in it, nothing but the thresholds is presumed to change.
    const content = seen.content ?? before?.content;
    if (content !== before?.content || before === undefined) hasNewVersions = true;
    else if (seen.policies !== before.policies) hasNewPolicies = true;
    next.set(key, { content, policies: seen.policies });
  }
  if (hasNewPolicies) onPolicies();
  if (hasNewVersions) onVersions();
  return next;
}

function isSame(left: ModelsLook, right: ModelsLook): boolean {
  return JSON.stringify([...left]) === JSON.stringify([...right]);
}

/** Looks at one version; undefined before its manifest is there, which a copy may bring last. */
async function lookAtVersion(dir: string): Promise<VersionLook | undefined> {
  const text = await readFile(path.join(dir, 'manifest.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const manifest = toObject(text);
  if (manifest === undefined) return { content: undefined, policies: text };
  const { policy = {}, policies = {}, ...rest } = manifest;
  const content = [JSON.stringify(rest)];
  for (const file of listFiles(rest)) content.push(`${file} ${await lookAtFile(path.join(dir, file))}`);
  return { content: content.join('\n'), policies: JSON.stringify([policy, policies]) };
}

function lookAtFile(file: string): Promise<string> {
  return stat(file).then(
    ({ size, mtimeMs }) => `${String(size)} ${String(mtimeMs)}`,
    () => 'absent',
  );
}

/** Lists the files that a manifest names, as far as it is one: whether it is right is for workers to say. */
function listFiles({ files, golden }: Readonly<Record<string, unknown>>): string[] {
  const named = isObject(files) ? Object.keys(files) : [];
  const images = Array.isArray(golden)
    ? golden.map((entry: unknown) => (isObject(entry) ? entry['image'] : undefined))
    : [];
  return [...named, ...images.filter((image) => typeof image === 'string')];
}

async function listNames(dir: string): Promise<string[] | undefined> {
  return readdir(dir).then(
    (names) => names.sort(),
    () => undefined,
  );
}

function toObject(json: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(json);
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
