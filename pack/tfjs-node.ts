import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** A package.json, as far as packing reads it. */
export interface PackageJson {
  readonly [field: string]: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Needed by its installation alone: src/setup does that work, and stands in for node-pre-gyp when tfjs-node is loaded. */
const installOnly = ['@mapbox/node-pre-gyp', 'adm-zip', 'https-proxy-agent', 'rimraf', 'tar'];
/** Fields that make npm run something, or bring what only its developers need. */
const dropped = ['scripts', 'dependencies', 'devDependencies'];

/**
 * Copies tfjs-node without its install script, which downloads what src/setup provides: where that download is refused,
 * npm removes an optional package without a word, but neither runs nor removes a bundled one that has no script.
 * @throws where tfjs-node needs a package that `dependencies` does not declare
 */
export async function copyTfjsNode(
  source: string,
  target: string,
  dependencies: Readonly<Record<string, string>>,
): Promise<void> {
  const found = await loadPackageJson(source);
  const undeclared = Object.keys(found.dependencies ?? {}).filter(
    (name) => !installOnly.includes(name) && dependencies[name] === undefined,
  );
  if (undeclared.length > 0) {
    throw new Error(`package.json must declare what tfjs-node needs: ${undeclared.join(', ')}`);
  }
  await mkdir(target, { recursive: true });
  for (const folder of ['binding', 'dist']) {
    await cp(path.join(source, folder), path.join(target, folder), { recursive: true, filter: isNeeded });
  }
  const kept = Object.entries(found).filter(([field]) => !dropped.includes(field));
  const notice = 'changed by image-check-server: without tests, types and the installation, see its src/setup';
  // With gypfile npm leaves node-gyp alone.
  const content = { ...Object.fromEntries(kept), gypfile: false, '//': notice };
  await writeFile(path.join(target, 'package.json'), `${JSON.stringify(content, null, 2)}\n`);
}

/** Reads the package.json of a folder. */
export async function loadPackageJson(folder: string): Promise<PackageJson> {
  return JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as PackageJson;
}

function isNeeded(file: string): boolean {
  return !/(_test\.js|run_tests\.js|\.d\.ts)$/.test(file);
}
