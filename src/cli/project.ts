import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder: two levels above this file, both as source and compiled. */
export const projectRoot = fileURLToPath(new URL('../..', import.meta.url));

/** Reads the version of package.json. */
export function loadVersion(): string {
  const content = JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')) as { version: string };
  return content.version;
}
