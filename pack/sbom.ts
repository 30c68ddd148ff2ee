// `npm run sbom`: prints what is installed without development dependencies, as CycloneDX. `npm sbom --omit dev` would also
// leave out runtime packages that a development dependency needs as well, such as commander and TensorFlow.js.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '..');

interface Lockfile {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
}

const manifest = await loadJson('package.json');
const lockfile = (await loadJson('package-lock.json')) as Lockfile;
const { '': rootPackage = {}, ...others } = lockfile.packages;
const runtime = Object.entries(others).filter(([, { dev }]) => dev !== true);
const packages = { '': { ...rootPackage, devDependencies: {} }, ...Object.fromEntries(runtime) };

const temporary = await mkdtemp(path.join(tmpdir(), 'image-check-sbom-'));
try {
  // npm names the product after its folder.
  const folder = path.join(temporary, String((manifest as { name?: unknown }).name));
  await mkdir(folder);
  await writeFile(path.join(folder, 'package.json'), JSON.stringify({ ...manifest, devDependencies: {} }));
  await writeFile(path.join(folder, 'package-lock.json'), JSON.stringify({ ...lockfile, packages }));
  const args = ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'];
  const { stdout } = await run('npm', args, { cwd: folder, maxBuffer: 1 << 26 });
  process.stdout.write(stdout);
} finally {
  await rm(temporary, { recursive: true, force: true });
}

async function loadJson(file: string): Promise<object> {
  return JSON.parse(await readFile(path.join(root, file), 'utf8')) as object;
}
