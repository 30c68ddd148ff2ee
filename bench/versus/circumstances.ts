import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadVersion, projectRoot } from '../../src/cli/project.ts';
import { diagnose } from '../../src/setup/doctor.ts';
import { binDir } from '../peers/installed.ts';
import type { Stage } from './stage.ts';

/** Where, when and with what was measured. */
export interface Circumstances {
  readonly date: string;
  readonly commit: string;
  readonly machine: string;
  readonly versions: readonly string[];
  readonly pictures: string;
  readonly plan: string;
  readonly loadBefore: number;
  readonly loadAfter: number;
}

/** Writes down what a reader has to know; the load average afterwards is added at the end. */
export async function describeCircumstances(
  { loadTool }: Pick<Stage, 'loadTool'>,
  told: Pick<Circumstances, 'pictures' | 'plan'>,
): Promise<Circumstances> {
  const loadBefore = os.loadavg()[0] ?? NaN;
  const cpu = `${os.cpus()[0]?.model ?? 'unknown CPU'} × ${String(os.availableParallelism())}`;
  const findings = await diagnose({ environment: process.env });
  const engines = findings.filter(({ check }) => check.endsWith(' engine'));
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    commit: describeCommit(),
    machine: `${cpu}, ${(os.totalmem() / 1e9).toFixed(0)} GB, ${os.type()} ${os.release()}`,
    versions: [
      `image-check ${loadVersion()}, Node ${process.version}, ${engines.map(({ check, detail }) => `${check}: ${detail}`).join(', ')}`,
      `load by ${loadTool.name}; the open loop by Node`,
      `peers: ${listPythonVersions()}`,
    ],
    ...told,
    loadBefore,
    loadAfter: NaN,
  };
}

function describeCommit(): string {
  try {
    const git = (...args: string[]): string => execFileSync('git', args, { cwd: projectRoot, encoding: 'utf8' }).trim();
    const isChanged =
      git('status', '--porcelain', '--untracked-files=no', '--', ':!bench/RESULTS*', ':!bench/plots') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${isChanged ? ' with changes' : ''}`;
  } catch {
    return 'unknown: no git here';
  }
}

/** Of the packages that the list of the peers names. */
function listPythonVersions(): string {
  const list = readFileSync(path.join(import.meta.dirname, '..', 'peers', 'requirements.txt'), 'utf8');
  const names = [...list.matchAll(/^([\w-]+)==/gm)].map(([, name]) => name ?? '');
  const script = `import sys, importlib.metadata as m
print('Python ' + sys.version.split()[0], *(', ' + n + ' ' + m.version(n) for n in sys.argv[1:]), sep='')`;
  try {
    return execFileSync(path.join(binDir, 'python'), ['-c', script, ...names], { encoding: 'utf8' }).trim();
  } catch {
    return list.trim().replaceAll('==', ' ').replaceAll('\n', ', ');
  }
}
