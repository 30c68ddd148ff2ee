import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChildOptions, runChild, toLastLine } from './child.ts';
import { hashFile } from './inventory.ts';
import { UnavailableError } from './unavailable-error.ts';
import type { Wheel } from './wheel.ts';

/** Takes seconds on an idle machine. */
const unpackTimeoutMs = 5 * 60_000;

/** Arguments: wheel, target folder, wanted members (a folder ends in a slash). Python's zipfile checks every CRC. */
const unpackScript = `
import sys, zipfile
wheel, target, *wanted = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if any(name == w or (w.endswith('/') and name.startswith(w)) for w in wanted):
            archive.extract(name, target)
`;

/**
 * Checks a file against the wheel's sha256.
 * @throws UnavailableError when it differs.
 */
export async function checkHash(path: string, wheel: Wheel, signal: AbortSignal): Promise<void> {
  const actual = await hashFile(path, signal);
  if (actual !== wheel.sha256) {
    throw new UnavailableError(
      `the wheel of ${wheel.project} ${wheel.version} has sha256 ${actual}, not ${wheel.sha256}`,
    );
  }
}

/**
 * Unpacks the wanted members of a wheel into `folder`.
 * @throws UnavailableError for an incomplete wheel
 */
export async function unpackWheel(
  path: string,
  folder: string,
  wanted: readonly string[],
  options: Pick<ChildOptions, 'environment' | 'signal'>,
): Promise<void> {
  const args = ['-c', unpackScript, path, folder, ...wanted];
  const result = await runChild('python3', args, { ...options, timeoutMs: unpackTimeoutMs });
  if (result.exitCode !== 0) {
    throw new UnavailableError(`the wheel can't be unpacked: ${toLastLine(result)}`);
  }
}

/** Sums the sizes of all files below `folder`. */
export async function measureFolder(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}
