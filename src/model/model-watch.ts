import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';

/** State of one version of a model on disk. */
interface VersionLook {
  /** The manifest without policies, sizes and times of its files; undefined while it is not a JSON object. */
  readonly content: string | undefined;
  /** All thresholds. */
  readonly policies: string;
}

/** State of the models folder by `<name>/<version>`, without the artefacts that the service writes itself. */
export type ModelsLook = ReadonlyMap<string, VersionLook>;

interface ModelWatchOptions {
  /** A version was added or removed, or its manifest or files changed. */
  readonly onVersions: () => void;
  /** Only thresholds of existing versions changed. */
  readonly onPolicies: () => void;
  /** The folder to watch; undefined while there is none. */
  readonly dir: () => string | undefined;
  /** State of `dir` before models were loaded from it. */
  readonly known: ModelsLook | undefined;
  readonly pollMs?: number;
}

/**
 * Polling also works on network drives and mounted volumes, where inotify reports nothing, and costs a few small reads. One
 * second is fast enough for a change made by a person or a deployment.
 */
const defaultPollMs = 1000;

/**
 * Watches a models folder. A change is reported once two polls in a row see the same state, so an unfinished copy is not
 * loaded.
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

/** Reads the state of every version below `dir`; undefined if the folder can't be read, e.g. while a drive is unmounted. */
export async function readModelsLook(dir: string): Promise<ModelsLook | undefined> {
  const names = await listNames(dir);
  if (names === undefined) return undefined;
  const look = new Map<string, VersionLook>();
  // Sequential: a drive that hangs then blocks one thread of libuv's pool, not all.
  for (const name of names) {
    const versions = (await listNames(path.join(dir, name))) ?? [];
    for (const version of versions.filter((entry) => /^\d+$/.test(entry))) {
      const seen = await lookAtVersion(path.join(dir, name, version));
      if (seen !== undefined) look.set(`${name}/${version}`, seen);
    }
  }
  return look;
}

/** Reports the changes in `look`. @returns the state to compare the next one with */
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
    // A manifest that is being edited may be unreadable: until it parses, only its thresholds count as changed.
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

/** Reads the state of one version; undefined until its manifest exists, which a copy may write last. */
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

/** Lists the files named by a manifest that is not validated yet; workers validate it. */
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
