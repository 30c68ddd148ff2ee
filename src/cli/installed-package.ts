import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { exitCodes, ExitError } from '../errors.ts';
import { projectRoot } from './project.ts';

/**
 * Finds the folder of an installed package without running any of it.
 * @param from its folder, if the user names one
 * @throws ExitError 78 if it is not installed
 */
export function findPackage(name: string, from: string | undefined): string {
  if (from !== undefined) {
    if (loadPackageName(from) === name) return from;
    throw new ExitError(exitCodes.configuration, `--from ${from}: has no package.json of ${name}`);
  }
  const folders = createRequire(path.join(projectRoot, 'package.json')).resolve.paths(name) ?? [];
  const found = folders.map((folder) => path.join(folder, name)).find((dir) => loadPackageName(dir) === name);
  if (found !== undefined) return found;
  throw new ExitError(
    exitCodes.configuration,
    `the package ${name} is not installed: npm install ${name}, or --from DIR says where it is`,
  );
}

function loadPackageName(dir: string): unknown {
  try {
    return (JSON.parse(readFileSync(path.join(dir, 'package.json'), 'utf8')) as { name?: unknown }).name;
  } catch {
    return undefined;
  }
}
