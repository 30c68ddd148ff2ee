import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { diagnose, type Finding } from '../../src/setup/doctor.ts';
import type { SetupOptions } from '../../src/setup/setup-options.ts';
import { createSmallMachine, keepOnly, listCache, type SmallMachine } from './small-machine.ts';

test('an_empty_machine_is_told_what_to_install_and_nothing_is_changed', async (t) => {
  const machine = await createSmallMachine(t);
  const environment = await keepOnly(machine, []);
  const probe = await createProbe(machine, "process.send({ failure: 'no library' });");
  const findings = await examine({ environment, packageFolder: machine.packageFolder, probe });
  expectFix(findings, 'tensorflow engine', /no library/, /image-check setup/);
  expectFix(findings, 'python3 with pip', /python3 was not found/, /install python3 and pip/);
  expectFix(findings, 'C++17 compiler', /no C\+\+17 compiler/, /install g\+\+/);
  expectFix(findings, 'TensorFlow library in the cache', /^not in /, /image-check setup/);
  assert.equal(findings.get('tfjs-node')?.ok, true);
  assert.equal(findings.get('Node.js')?.ok, true);
  assert.deepEqual(await listCache(machine), []);
});

test('a_missing_tfjs_node_is_found_and_wasm_runs_all_the_same', async (t) => {
  const machine = await createSmallMachine(t);
  await rm(machine.packageFolder, { recursive: true });
  const findings = await examine({ environment: machine.environment, packageFolder: machine.packageFolder });
  expectFix(findings, 'tfjs-node', /ENOENT/, /npm ci/);
  assert.equal(findings.get('wasm engine')?.ok, true);
});

test('an_unwritable_cache_is_found', async (t) => {
  const machine = await createSmallMachine(t);
  await writeFile(join(machine.folder, 'file'), '');
  const environment = { ...machine.environment, XDG_CACHE_HOME: join(machine.folder, 'file', 'sub') };
  const probe = await createProbe(machine, "process.send({ version: '1' });");
  const findings = await examine({ environment, packageFolder: machine.packageFolder, probe });
  assert.equal(findings.get('tensorflow engine')?.ok, true);
  expectFix(findings, 'TensorFlow library in the cache', /is not writable/, /XDG_CACHE_HOME/);
});

test('an_engine_that_crashes_is_found', async (t) => {
  const machine = await createSmallMachine(t);
  const probe = await createProbe(machine, "process.kill(process.pid, 'SIGSEGV');");
  const { environment, packageFolder } = machine;
  const findings = await examine({ environment, packageFolder, probe });
  expectFix(findings, 'tensorflow engine', /TensorFlow crashed with SIGSEGV/, /image-check setup/);
  expectFix(findings, 'wasm engine', /the wasm engine crashed with SIGSEGV/, /npm ci/);
});

async function createProbe(machine: SmallMachine, code: string): Promise<{ file: string; timeoutMs: number }> {
  const file = join(machine.folder, 'probe.mjs');
  await writeFile(file, code);
  return { file, timeoutMs: 30_000 };
}

async function examine(options: SetupOptions): Promise<Map<string, Finding>> {
  const findings = await diagnose(options);
  return new Map(findings.map((finding) => [finding.check, finding]));
}

function expectFix(findings: Map<string, Finding>, check: string, detail: RegExp, fix: RegExp): void {
  const finding = findings.get(check);
  assert.ok(finding !== undefined && !finding.ok, check);
  assert.match(finding.detail, detail);
  assert.match(finding.fix ?? '', fix);
}
