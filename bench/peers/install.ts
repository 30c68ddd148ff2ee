// Installs the peers and writes the models of all, once. Takes about two minutes, most of it downloads.
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { projectRoot } from '../../src/cli/project.ts';
import { runToEnd } from '../child-run.ts';
import type { BenchModel } from './contender.ts';
import { benchModels, binDir, installedDir, modelsDir, nodeDir, toPeerForms } from './installed.ts';

const launcher = path.join(projectRoot, 'src', 'launcher.mjs');
const python = path.join(binDir, 'python');
const pythonList = 'bench/peers/requirements.txt';
const modelSources = [
  ...['bench/peers/install.ts', 'bench/peers/python/rebuild.py', 'bench/mobilenet.ts', 'bench/graph-model.ts'],
  ...['models/quality/2/manifest.json', 'node_modules/nsfwjs/package.json', pythonList],
];

if (process.argv[1] === import.meta.filename) await installPeers();

/** Installs whatever is missing or was installed from other lists. @throws Error with the reason */
export async function installPeers(): Promise<void> {
  await installOnce('python', [pythonList], installPython);
  await installOnce('node', ['bench/peers/node/package.json'], installNode);
  cpSync(path.join(import.meta.dirname, 'node'), nodeDir, { recursive: true });
  await installOnce('models', modelSources, writeModels);
  // What compiles them may have changed since.
  await runImageCheck('models', 'compile');
}

/** Notes beside what was installed, when that is complete, what it was made from. */
async function installOnce(name: string, sources: readonly string[], install: () => Promise<void>): Promise<void> {
  const hash = createHash('sha256');
  for (const source of sources) hash.update(readFileSync(path.join(projectRoot, source)));
  const wanted = hash.digest('hex');
  const stamp = path.join(installedDir, `${name}.stamp`);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  rmSync(stamp, { force: true });
  mkdirSync(installedDir, { recursive: true });
  console.log(`installing the peers: ${name} …`);
  await install();
  writeFileSync(stamp, wanted);
}

async function installPython(): Promise<void> {
  const dir = path.dirname(binDir);
  rmSync(dir, { recursive: true, force: true });
  await runToEnd('python3', ['-m', 'venv', dir]);
  const list = path.join(projectRoot, pythonList);
  await runToEnd(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', list]);
}

/** tfjs-node is the project's own, which has native TensorFlow already. */
async function installNode(): Promise<void> {
  rmSync(nodeDir, { recursive: true, force: true });
  cpSync(path.join(import.meta.dirname, 'node'), nodeDir, { recursive: true });
  await runToEnd('npm', ['install', '--silent', '--no-audit', '--no-fund', '--no-package-lock', '--prefix', nodeDir]);
}

async function writeModels(): Promise<void> {
  for (const dir of ['models', 'graph-models', 'saved-models', 'onnx']) {
    rmSync(path.join(installedDir, dir), { recursive: true, force: true });
    mkdirSync(path.join(installedDir, dir));
  }
  await runImageCheck('models', 'add', 'npm:nsfwjs', '--name', 'mobilenet-224');
  await addSmallMobileNet();
  cpSync(path.join(projectRoot, 'models', 'quality', '2'), path.join(modelsDir, 'quality', '2'), { recursive: true });
  for (const [model, version] of Object.entries(benchModels)) await writePeerForms(model as BenchModel, version);
}

async function addSmallMobileNet(): Promise<void> {
  const { writeMobileNet } = await import('../mobilenet.ts');
  const dir = mkdtempSync(path.join(os.tmpdir(), 'image-check-bench-'));
  try {
    await writeMobileNet(dir, 'small', { size: 96, width: 0.35 });
    const choices = ['--scale=1/127.5', '--offset=-1', '--activation=sigmoid', '--labels=blurry,dark,overexposed'];
    const source = path.join(dir, 'small', '1', 'model.json');
    await runImageCheck('models', 'add', source, '--name', 'mobilenet-96', '--kind', 'multi-label', ...choices);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function writePeerForms(model: BenchModel, version: string): Promise<void> {
  const { graphModel, savedModel, onnx } = toPeerForms(model);
  const source = path.join(modelsDir, model, version);
  await runToEnd(python, [path.join(import.meta.dirname, 'python', 'rebuild.py'), source, savedModel, onnx]);
  const converted = `${model}-graph`;
  const typescript = path.join(projectRoot, 'test', 'typescript.mjs');
  const converter = path.join(projectRoot, 'bench', 'convert-once.ts');
  await runToEnd(process.execPath, ['--import', typescript, converter, modelsDir, model, converted]);
  renameSync(path.join(modelsDir, converted, '1'), graphModel);
  rmSync(path.join(modelsDir, converted), { recursive: true });
}

async function runImageCheck(...args: string[]): Promise<void> {
  await runToEnd(process.execPath, [launcher, ...args, '--models', modelsDir]);
}
