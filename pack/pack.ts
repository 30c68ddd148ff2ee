// `npm run pack`: puts the package together in a folder of its own, and packs that. Nothing in the checkout changes.
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { copyTfjsNode, loadPackageJson } from './tfjs-node.ts';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '..');
const bundled = '@tensorflow/tfjs-node';
/** Of the checkout alone: the package is built, and its users need no compiler of 24 MB. */
const checkoutFields = ['scripts', 'devDependencies'];
const checkoutDependencies = ['typescript'];
const checkoutRooms = ['train'];

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

const { values } = parseArgs({ options: { 'pack-destination': { type: 'string', default: '.' } } });
const destination = path.resolve(values['pack-destination']);
const staging = await mkdtemp(path.join(tmpdir(), 'image-check-pack-'));
try {
  await copyListedFiles();
  await compile();
  await writePackage();
  await mkdir(destination, { recursive: true });
  const packed = await pack(staging, ['--pack-destination', destination]);
  const sizes = [packed.size, packed.unpackedSize].map((bytes) => `${(bytes / 1e6).toFixed(1)} MB`).join(', unpacked ');
  process.stderr.write(`${String(packed.files.length)} files, ${sizes}\n`);
  process.stdout.write(`${path.join(destination, packed.filename)}\n`);
} finally {
  await rm(staging, { recursive: true, force: true });
}

/** What package.json's `files` says, as npm understands it; dist/ is compiled anew. */
async function copyListedFiles(): Promise<void> {
  const { files } = await pack(root, ['--dry-run', '--ignore-scripts']);
  for (const { path: file } of files.filter((listed) => !listed.path.startsWith('dist/'))) {
    await cp(path.join(root, file), path.join(staging, file));
  }
}

/** The service without the trainer, and the types of the root entry, the only ones that can be imported. */
async function compile(): Promise<void> {
  const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const outDir = ['--outDir', path.join(staging, 'dist')];
  const builds = [['tsconfig.build.json', '--sourceMap', 'false'], ['tsconfig.package.json']];
  for (const build of builds) await run(process.execPath, [compiler, '-p', ...build, ...outDir], { cwd: root });
  for (const room of checkoutRooms) await rm(path.join(staging, 'dist', room), { recursive: true });
}

async function writePackage(): Promise<void> {
  const { dependencies = {}, ...fields } = await loadPackageJson(root);
  const modules = path.join('node_modules', bundled);
  await copyTfjsNode(path.join(root, modules), path.join(staging, modules), dependencies);
  const content = {
    ...omit(fields, checkoutFields),
    dependencies: omit(dependencies, checkoutDependencies),
    bundleDependencies: [bundled],
  };
  await writeFile(path.join(staging, 'package.json'), `${JSON.stringify(content, null, 2)}\n`);
}

async function pack(folder: string, args: readonly string[]): Promise<Packed> {
  const { stdout } = await run('npm', ['pack', '--json', ...args], { cwd: folder, maxBuffer: 1 << 26 });
  const [packed] = JSON.parse(stdout) as Packed[];
  if (packed === undefined) throw new Error('npm pack names no package');
  return packed;
}

function omit(fields: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}
