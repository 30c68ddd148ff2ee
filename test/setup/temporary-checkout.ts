import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const project = resolve(import.meta.dirname, '..', '..');

/** A copy of the project's sources with packages of its own, so that a setup there leaves the real ones alone. */
export interface TemporaryCheckout {
  readonly root: string;
  /** Of its own tfjs-node, which has no library yet. */
  readonly packageFolder: string;
  readonly remove: () => Promise<void>;
}

/** Makes a checkout whose packages are links to the real ones, but for tfjs-node, which is a copy. */
export async function createTemporaryCheckout(): Promise<TemporaryCheckout> {
  const root = await mkdtemp(join(tmpdir(), 'image-check-checkout-'));
  const packageFolder = join(root, 'node_modules', '@tensorflow', 'tfjs-node');
  await cp(join(project, 'src'), join(root, 'src'), { recursive: true });
  await cp(join(project, 'package.json'), join(root, 'package.json'));
  await linkFolders(join(project, 'node_modules'), join(root, 'node_modules'), ['@tensorflow']);
  await linkFolders(join(project, 'node_modules', '@tensorflow'), join(root, 'node_modules', '@tensorflow'), [
    'tfjs-node',
  ]);
  await copyTfjsNode(packageFolder);
  return { root, packageFolder, remove: () => rm(root, { recursive: true, force: true }) };
}

/** Copies the installed tfjs-node as an installation without scripts leaves it. */
export async function copyTfjsNode(target: string): Promise<void> {
  const source = join(project, 'node_modules', '@tensorflow', 'tfjs-node');
  const provisioned = [join(source, 'deps'), join(source, 'lib')];
  await mkdir(target, { recursive: true });
  await cp(source, target, { recursive: true, filter: (path) => !provisioned.includes(path) });
}

async function linkFolders(from: string, to: string, except: readonly string[]): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) {
    if (!except.includes(name)) {
      await symlink(join(from, name), join(to, name));
    }
  }
}
