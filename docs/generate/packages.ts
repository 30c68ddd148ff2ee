import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** A package that is installed without development dependencies, on this platform or another one. */
export interface RuntimePackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression. */
  readonly license: string;
}

interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
}

interface InstalledManifest {
  readonly license?: string;
  /** The form of packages from before 2014. */
  readonly licenses?: readonly { readonly type: string }[];
}

/**
 * Lists the runtime packages of the lockfile with their licences.
 * @throws where neither the lockfile nor the installed package states a licence
 */
export async function loadPackages(root: string): Promise<RuntimePackage[]> {
  const { packages } = JSON.parse(await readFile(path.join(root, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, LockedPackage>>;
  };
  const byId = new Map<string, RuntimePackage>();
  for (const [folder, { version, license, dev }] of Object.entries(packages)) {
    if (folder === '' || dev === true) continue;
    const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const known = license ?? (await loadInstalledLicense(path.join(root, folder)));
    if (known === undefined) throw new Error(`${name} ${version} states no licence`);
    byId.set(`${name} ${version}`, { name, version, license: known });
  }
  return [...byId.values()];
}

/** Reads the licence that an installed package states; undefined where it is not installed or states none. */
export async function loadInstalledLicense(folder: string): Promise<string | undefined> {
  const file = path.join(folder, 'package.json');
  if (!existsSync(file)) return undefined;
  const { license, licenses } = JSON.parse(await readFile(file, 'utf8')) as InstalledManifest;
  return license ?? licenses?.map(({ type }) => type).join(' OR ');
}

/** Renders a list of packages for each licence; the full text is in the folder of each package. */
export function renderPackages(packages: readonly RuntimePackage[]): string {
  const byLicense = new Map<string, string[]>();
  for (const { name, version, license } of packages) {
    byLicense.set(license, [...(byLicense.get(license) ?? []), `  ${name} ${version}\n`]);
  }
  const sections = [...byLicense].sort(([one], [other]) => compare(one, other));
  return sections.map(([license, lines]) => `${license}\n${[...lines].sort(compare).join('')}`).join('\n');
}

/** By code points: the same order everywhere. */
function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
