// What does compiling gain? Each form of each model in a process of its own, run in turns. Takes about two minutes.
import { type ChildProcess, execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { hearAnswer, startBenchProcess } from './bench-process.ts';
import type { Readiness, Slice } from './compile-process.ts';
import { writeMobileNet } from './mobilenet.ts';
import { writeSavedMobileNet } from './saved-mobilenet.ts';
import { toMedian } from './statistics.ts';

const rounds = Number(process.env['ROUNDS'] ?? 12);
const batchOfMany = 8;
const root = path.join(import.meta.dirname, '..');
const launcher = path.join(root, 'src', 'launcher.mjs');
const python = process.env['IMAGE_CHECK_TEST_PYTHON'];

const loadBefore = os.loadavg()[0] ?? NaN;
const dir = mkdtempSync(path.join(os.tmpdir(), 'image-check-bench-'));
const children = new Set<ChildProcess>();
try {
  for (const name of await writeModels()) console.table(await measureModel(name));
  console.log(`load average before ${loadBefore.toFixed(1)}, after ${(os.loadavg()[0] ?? NaN).toFixed(1)}`);
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
}

/** Writes or copies whatever can be had here. @returns the names of the models */
async function writeModels(): Promise<string[]> {
  const names: string[] = [];
  for (const shape of [
    { size: 224, width: 1 },
    { size: 96, width: 0.35 },
  ]) {
    const name = `mobilenet-${String(shape.size)}`;
    await writeMobileNet(dir, name, shape);
    await hearAnswer(startProcess('convert-once.ts', [dir, name, `${name}-graph`]));
    names.push(name, `${name}-graph`);
    if (python === undefined) continue;
    writeSavedMobileNet(python, dir, `${name}-saved`, shape);
    names.push(`${name}-saved`);
  }
  cpSync(path.join(root, 'models', 'quality'), path.join(dir, 'quality'), { recursive: true });
  execFileSync(process.execPath, [launcher, 'models', 'add', 'npm:nsfwjs', '--models', dir], { stdio: 'ignore' });
  if (python === undefined) console.log('IMAGE_CHECK_TEST_PYTHON names no Python with TensorFlow: no SavedModels');
  return [...names, 'quality', 'nsfw'];
}

interface Form {
  readonly form: string;
  readonly child: ChildProcess;
  readonly ready: Readiness;
  readonly one: number[];
  readonly many: number[];
}

async function measureModel(name: string): Promise<Record<string, Record<string, string>>> {
  const artefactDir = path.join(dir, `${name}-artefact`);
  const compiling = startProcess('compile-once.ts', [dir, name, artefactDir]);
  console.log(`${name}: ${String(await hearAnswer(compiling))}`);
  const forms: Form[] = [];
  for (const form of name.endsWith('-saved') ? ['as exported', 'compiled'] : ['op by op', 'wasm', 'compiled']) {
    const child = startProcess('compile-process.ts', [dir, name, form, ...(form === 'compiled' ? [artefactDir] : [])]);
    const ready = (await hearAnswer(child)) as Readiness;
    forms.push({ form, child, ready, one: [], many: [] });
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const { child, one, many } of forms) {
      one.push(...(await runSlice(child, { batch: 1, runs: 6 })));
      many.push(...(await runSlice(child, { batch: batchOfMany, runs: 2 })));
    }
  }
  for (const { child } of forms) child.kill('SIGKILL');
  const slowest = toMedian(forms[0]?.one ?? []);
  return Object.fromEntries(forms.map((form) => [form.form, toRow(form, slowest)]));
}

function toRow({ ready, one, many }: Form, original: number): Record<string, string> {
  return {
    'one image, ms': toMedian(one).toFixed(2),
    'fastest, ms': Math.min(...one).toFixed(2),
    'of 8, per image, ms': (toMedian(many) / batchOfMany).toFixed(2),
    'times faster': (original / toMedian(one)).toFixed(1),
    'load, ms': ready.loadMs.toFixed(0),
    'first run, ms': ready.firstMs.toFixed(0),
    'private, MB': (ready.privateBytes / 1e6).toFixed(0),
  };
}

function startProcess(file: string, args: readonly string[]): ChildProcess {
  const child = startBenchProcess(file, args);
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

async function runSlice(child: ChildProcess, slice: Slice): Promise<number[]> {
  child.send(slice);
  return (await hearAnswer(child)) as number[];
}
