import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';
import { tensorflowWheel, type Wheel } from '../../src/setup/wheel.ts';
import { copyTfjsNode } from './temporary-checkout.ts';

/** A user with an empty cache, a tfjs-node without a library and no package index. */
export interface SmallMachine {
  readonly folder: string;
  readonly packageFolder: string;
  /** Where the setup keeps its versions and its staging folders. */
  readonly cacheRoot: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** Makes one that goes when the test ends. */
export async function createSmallMachine(t: TestContext): Promise<SmallMachine> {
  const folder = await mkdtemp(join(tmpdir(), 'image-check-setup-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const packageFolder = join(folder, 'tfjs-node');
  await copyTfjsNode(packageFolder);
  const cache = join(folder, 'cache');
  return {
    folder,
    packageFolder,
    cacheRoot: join(cache, 'image-check', 'tensorflow'),
    environment: {
      ...process.env,
      XDG_CACHE_HOME: cache,
      PIP_CONFIG_FILE: '/dev/null',
      PIP_FIND_LINKS: '',
      PIP_RETRIES: '0',
      PIP_NO_INDEX: '1',
      CXX: '',
    },
  };
}

/** Names what is left in the cache. */
export async function listCache(machine: SmallMachine): Promise<string[]> {
  const names = await readdir(machine.cacheRoot).catch(() => []);
  return names.filter((name) => name !== 'locks');
}

/** The environment with nothing on the PATH but the real programs of these names. */
export async function keepOnly(machine: SmallMachine, programs: readonly string[]): Promise<NodeJS.ProcessEnv> {
  const folder = await mkdtemp(join(machine.folder, 'bin-'));
  for (const program of programs) {
    await symlink(findProgram(program), join(folder, program));
  }
  return { ...machine.environment, PATH: folder };
}

/** The environment with a program that a shell script stands in for. */
export async function shadowProgram(machine: SmallMachine, name: string, script: string): Promise<NodeJS.ProcessEnv> {
  const folder = await mkdtemp(join(machine.folder, 'bin-'));
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { ...machine.environment, PATH: [folder, process.env['PATH'] ?? ''].join(delimiter) };
}

/** A real, small wheel of the pinned name that pip finds, with these members; `wheel` is its pin. */
export async function offerWheel(
  machine: SmallMachine,
  members: Readonly<Record<string, string>>,
): Promise<{ wheel: Wheel; environment: NodeJS.ProcessEnv }> {
  const { version, abi, platformTag } = tensorflowWheel;
  const folder = join(machine.folder, 'wheels');
  await mkdir(folder);
  const path = join(folder, `tensorflow_cpu-${version}-${abi}-${abi}-${platformTag}.whl`);
  const info = `tensorflow_cpu-${version}.dist-info`;
  const all = {
    ...members,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: tensorflow-cpu\nVersion: ${version}\n`,
    [`${info}/WHEEL`]: `Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: ${abi}-${abi}-${platformTag}\n`,
    [`${info}/RECORD`]: '',
  };
  const script = `
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as archive:
    for name, text in json.loads(sys.argv[2]).items():
        archive.writestr(name, text)
`;
  execFileSync('python3', ['-c', script, path, JSON.stringify(all)]);
  const content = await readFile(path);
  return {
    wheel: {
      ...tensorflowWheel,
      sha256: createHash('sha256').update(content).digest('hex'),
      bytes: content.length,
      unpackedBytes: 1,
    },
    environment: { ...machine.environment, PIP_FIND_LINKS: folder },
  };
}

/** Looks behind wrappers of version managers, which need a PATH of their own. */
function findProgram(name: string): string {
  const command = name === 'python3' ? `python3 -c 'import sys; print(sys.executable)'` : `command -v ${name}`;
  return execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8' }).trim();
}
