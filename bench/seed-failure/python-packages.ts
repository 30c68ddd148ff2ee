import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runToEnd } from '../child-run.ts';

const dir = path.join(import.meta.dirname, '.venv');

/** Where the benchmark's own Python is, and the servers. */
export const binDir = path.join(dir, 'bin');

/** The benchmark's own Python. */
export const python = path.join(binDir, 'python');

/** Installs everything but uWSGI where that has not been done. @throws where it can't be had */
export async function installPython(): Promise<void> {
  if (isInstalled('requirements.txt')) return;
  rmSync(dir, { recursive: true, force: true });
  await runToEnd('python3', ['-m', 'venv', dir]);
  await installPackages('requirements.txt');
}

/** Builds uWSGI where that has not been done. @throws where there is no compiler, or no headers of Python's */
export async function installUwsgi(): Promise<void> {
  if (!isInstalled('requirements-uwsgi.txt')) await installPackages('requirements-uwsgi.txt');
}

/** Reads the versions that are installed, one text for all. */
export async function readPythonVersions(): Promise<string> {
  const names = ['tensorflow-cpu', 'flask', 'gunicorn', 'uwsgi'];
  const script = [
    'import platform, importlib.metadata as metadata',
    'installed = {each.name.lower(): each.version for each in metadata.distributions()}',
    `known = [f"{name} {installed[name]}" for name in ${JSON.stringify(names)} if name in installed]`,
    'print(", ".join(["Python " + platform.python_version(), *known]))',
  ];
  return (await runToEnd(python, ['-c', script.join('\n')])).trim();
}

/** A list is copied beside what was installed when that is complete. */
function isInstalled(file: string): boolean {
  const copy = path.join(dir, file);
  return existsSync(copy) && readFileSync(copy, 'utf8') === readList(file);
}

async function installPackages(file: string): Promise<void> {
  console.log(`installing the Python packages of ${file} …`);
  const list = path.join(import.meta.dirname, file);
  await runToEnd(path.join(binDir, 'pip'), ['install', '--quiet', '--disable-pip-version-check', '-r', list]);
  writeFileSync(path.join(dir, file), readList(file));
}

function readList(file: string): string {
  return readFileSync(path.join(import.meta.dirname, file), 'utf8');
}
