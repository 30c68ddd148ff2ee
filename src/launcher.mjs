#!/usr/bin/env node
// @ts-check
// The entry of every start: in a checkout it builds dist/ where it is missing or old; then it becomes dist/main.js.
// Syntax and imports stay what Node 14 reads, so that an old Node gets the clear line below.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const staging = `${dist}.${process.pid}`;
const replaced = `${staging}.old`;
const stampName = '.sources';
const buildConfig = join(root, 'tsconfig.build.json');
/** The packed package has dist/ and no sources. */
const isCheckout = existsSync(buildConfig);
const remedy = isCheckout ? `run npm ci in ${root}` : 'install image-check-server again';

/** Exit codes as in errors.ts, which isn't built yet. */
const exitCodes = { bug: 1, notWritable: 73, configuration: 78 };

/** A failure that ends the process with one clear line. */
class LauncherError extends Error {
  /**
   * @param {number} exitCode
   * @param {string} message
   */
  constructor(exitCode, message) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** A signal that came while a build had to be cleared away first. */
class Interruption extends Error {
  /** @param {NodeJS.Signals} signal */
  constructor(signal) {
    super(signal);
    this.signal = signal;
  }
}

async function main() {
  checkNode();
  checkPackages();
  await buildIfStale();
  await import(pathToFileURL(join(dist, 'main.js')).href);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new LauncherError(exitCodes.configuration, `Node.js 20.19 or newer is needed, this is ${process.version}`);
  }
}

/** Installed as a package, this project shares the node_modules that it is in. */
function checkPackages() {
  if (!existsSync(join(root, 'node_modules')) && !root.includes(`${sep}node_modules${sep}`)) {
    throw new LauncherError(exitCodes.configuration, `the packages are not installed: ${remedy}`);
  }
}

async function buildIfStale() {
  if (!isCheckout) {
    assertPacked();
    return;
  }
  const sources = hashSources();
  if (isFresh(sources)) {
    return;
  }
  const compiler = findCompiler();
  if (compiler === undefined) {
    if (existsSync(join(dist, 'main.js'))) {
      return; // An image that carries a build and no compiler: what was built before is what there is.
    }
    throw new LauncherError(exitCodes.configuration, `nothing is built and typescript is not installed: ${remedy}`);
  }
  removeStaleStaging();
  makeStaging();
  try {
    await compile(compiler);
    writeFileSync(join(staging, stampName), sources);
    swapIn(sources);
  } finally {
    rmSync(staging, { recursive: true, force: true });
    rmSync(replaced, { recursive: true, force: true });
  }
}

/** `npm pack` alone runs no script here (.npmrc), so that its package lacks dist/. */
function assertPacked() {
  if (!existsSync(join(dist, 'main.js'))) {
    const message = 'this package was packed without its build: pack it by `npm run pack` in the checkout';
    throw new LauncherError(exitCodes.configuration, message);
  }
}

/** Contents, not times: a copied checkout keeps its build. Takes about 10 ms for 200 files. */
function hashSources() {
  const hash = createHash('sha256');
  const configs = readdirSync(root).filter((name) => /^tsconfig.*\.json$/.test(name));
  for (const path of [...configs.map((name) => join(root, name)), ...listSources(join(root, 'src'))].sort()) {
    const content = readFileSync(path);
    hash.update(`${path.slice(root.length)} ${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

/**
 * @param {string} folder
 * @returns {string[]}
 */
function listSources(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      return listSources(path);
    }
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}

/** @param {string} sources */
function isFresh(sources) {
  try {
    return existsSync(join(dist, 'main.js')) && readFileSync(join(dist, stampName), 'utf8') === sources;
  } catch {
    return false;
  }
}

/** @returns {string | undefined} */
function findCompiler() {
  try {
    return createRequire(import.meta.url).resolve('typescript/bin/tsc');
  } catch {
    return undefined;
  }
}

function makeStaging() {
  try {
    mkdirSync(staging);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new LauncherError(exitCodes.notWritable, `dist/ is missing or old and can't be built: ${why}`);
  }
}

/** Removes what interrupted launchers left, where it can. */
function removeStaleStaging() {
  for (const name of readdirSync(root)) {
    const match = /^dist\.(\d+)(\.old)?$/.exec(name);
    if (match !== null && (Number(match[1]) === process.pid || !isAlive(Number(match[1])))) {
      try {
        rmSync(join(root, name), { recursive: true, force: true });
      } catch {
        // It is only rubbish.
      }
    }
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * In a process of its own, because this one becomes the primary and stays small. Types are left to `npm test`: a build
 * without them takes a fifth of the time and needs no @types, which production installations lack.
 * @param {string} compiler
 * @returns {Promise<void>}
 */
function compile(compiler) {
  const args = [compiler, '-p', buildConfig, '--outDir', staging, '--pretty', 'false'];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  // The access log alone goes to stdout.
  child.stdout.pipe(process.stderr, { end: false });
  return new Promise((resolve, reject) => {
    /** @type {NodeJS.Signals[]} */
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    /** @type {NodeJS.Signals | undefined} */
    let received;
    /** @param {NodeJS.Signals} signal */
    const stop = (signal) => {
      received = signal;
      child.kill('SIGKILL');
    };
    signals.forEach((signal) => process.on(signal, stop));
    process.stderr.write('image-check: building dist/\n');
    child.on('error', reject);
    // Only now does nothing write to the staging folder any more.
    child.on('close', (code) => {
      signals.forEach((signal) => process.removeListener(signal, stop));
      if (received !== undefined) {
        reject(new Interruption(received));
      } else if (code !== 0) {
        reject(new LauncherError(exitCodes.bug, 'the build failed, see above'));
      } else {
        resolve();
      }
    });
  });
}

/**
 * Puts the finished build in place. Another launcher may do the same: the one that comes second keeps the first's.
 * @param {string} sources
 */
function swapIn(sources) {
  if (isFresh(sources)) {
    return;
  }
  try {
    renameSync(dist, replaced);
  } catch {
    // There was none.
  }
  try {
    renameSync(staging, dist);
  } catch (error) {
    if (!isFresh(sources)) {
      throw error;
    }
  }
}

/** @param {unknown} error */
function toMissingPackage(error) {
  const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
  return isMissing ? /^Cannot find package '([^']+)'/.exec(error.message)?.[1] : undefined;
}

main().catch((error) => {
  const missing = toMissingPackage(error);
  if (missing !== undefined) {
    process.stderr.write(`image-check: the package ${missing} is not installed: ${remedy}\n`);
    process.exitCode = exitCodes.configuration;
  } else if (error instanceof LauncherError) {
    process.stderr.write(`image-check: ${error.message}\n`);
    process.exitCode = error.exitCode;
  } else if (error instanceof Interruption) {
    process.kill(process.pid, error.signal);
  } else {
    throw error;
  }
});
