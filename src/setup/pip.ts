import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChildResult, runChild, toLastLine } from './child.ts';
import { toLine, UnavailableError } from './unavailable-error.ts';
import type { Wheel } from './wheel.ts';
import { checkHash } from './wheel-file.ts';

const findTimeoutMs = 30_000;
/** Includes pip's retries; enough for the wheel at 2 Mbit/s. */
const downloadTimeoutMs = 15 * 60_000;

/**
 * Finds python3 with pip; returns pip's version line.
 * @throws UnavailableError naming what is missing
 */
export async function findPip(environment: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  const result = await runChild('python3', ['-m', 'pip', '--version'], {
    environment,
    signal,
    timeoutMs: findTimeoutMs,
  });
  if (result.exitCode !== 0) {
    throw new UnavailableError(`python3 has no working pip: ${toLastLine(result)}`);
  }
  return toLine(result.stdout);
}

/**
 * Downloads the wheel into `folder` with the machine's own pip configuration, and checks its hash.
 * @returns the wheel's path.
 * @throws UnavailableError when pip fails or the hash differs
 */
export async function downloadWheel(
  wheel: Wheel,
  folder: string,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<string> {
  const requirements = join(folder, 'requirements.txt');
  await writeFile(requirements, `${wheel.project}==${wheel.version} --hash=sha256:${wheel.sha256}\n`);
  const args = [
    ...['-m', 'pip', 'download', '--quiet', '--no-input', '--no-cache-dir', '--disable-pip-version-check'],
    ...['--no-deps', '--only-binary=:all:', '--platform', wheel.platformTag, '--python-version', wheel.pythonVersion],
    ...['--implementation', 'cp', '--abi', wheel.abi, '--require-hashes', '-r', requirements, '--dest', folder],
  ];
  const pipEnvironment = {
    PIP_RETRIES: '2', // pip's own 5 make a start without an index slow.
    ...environment,
    PIP_REQUIRE_VIRTUALENV: '0', // Nothing is installed.
    TMPDIR: folder,
  };
  const result = await runChild('python3', args, { environment: pipEnvironment, signal, timeoutMs: downloadTimeoutMs });
  if (result.exitCode !== 0) {
    throw new UnavailableError(`pip can't download ${wheel.project} ${wheel.version}: ${explainPip(result)}`);
  }
  const name = (await readdir(folder)).find((file) => file.endsWith('.whl'));
  if (name === undefined) {
    throw new UnavailableError(`pip downloaded no wheel of ${wheel.project} ${wheel.version}`);
  }
  await checkHash(join(folder, name), wheel, signal);
  return join(folder, name);
}

function explainPip(result: ChildResult): string {
  const errors = result.stderr.split('\n').filter((line) => line.startsWith('ERROR:'));
  const why = errors.at(-1)?.slice('ERROR:'.length) ?? toLastLine(result);
  return /^WARNING: Retrying/m.test(result.stderr)
    ? `${toLine(why)} (the package index can't be reached)`
    : toLine(why);
}
