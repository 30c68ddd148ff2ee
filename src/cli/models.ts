import { statSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { Registry } from 'prom-client';
import { toNativeEnvironment } from '../config/native-environment.ts';
import type { Config } from '../config/schema.ts';
import { toMessage } from '../errors.ts';
import { createLogger } from '../log.ts';
import { createWorkerMetrics } from '../metrics/catalogue.ts';
import { loadModelStore, type StoredVersion } from '../model/model-store.ts';
import { chooseEngine } from '../setup/engine-choice.ts';
import { addConfigFlags, type ConfigFlags, loadFlaggedConfig } from './config-flags.ts';

/** Adds `models list` and `models verify`. */
export function addModelsCommand(program: Command): void {
  const models = program.command('models').description('what is in the models folder');
  addConfigFlags(models.command('list').description('format, size and labels of every version')).action(
    (flags: ConfigFlags) => {
      for (const stored of listVersions(loadFlaggedConfig(flags).config)) process.stdout.write(`${toRow(stored)}\n`);
    },
  );
  addConfigFlags(models.command('verify').description('load every version: hashes, warm-up and golden images')).action(
    async (flags: ConfigFlags) => {
      process.exitCode = await verifyAll(loadFlaggedConfig(flags).config);
    },
  );
}

function listVersions(config: Config): StoredVersion[] {
  return [...loadModelStore(config.models.dir).values()].flat();
}

function toRow(stored: StoredVersion): string {
  if (stored.kind === 'broken') return `${stored.name}@${stored.version}  broken: ${stored.reason}`;
  const { name, version, dir, manifest } = stored.model;
  const bytes = Object.keys(manifest.files).map(
    (file) => statSync(path.join(dir, file), { throwIfNoEntry: false })?.size ?? 0,
  );
  const size = `${(bytes.reduce((sum, next) => sum + next, 0) / 1e6).toFixed(2)} MB`;
  const input = `${String(manifest.input.width)}x${String(manifest.input.height)}`;
  return [`${name}@${version}`, manifest.format, input, size, manifest.output.labels.join(',')].join('  ');
}

async function verifyAll(config: Config): Promise<number> {
  Object.assign(process.env, toNativeEnvironment(process.env));
  const { engine } = await chooseEngine({ wanted: config.model.engine, progress: 'lines', environment: process.env });
  const { createChecker } = await import('../check/checker.ts');
  const log = createLogger({ level: 'error', format: 'pretty' }, {});
  const { inference } = createChecker(config, engine, createWorkerMetrics(new Registry()), log);
  let failures = 0;
  for (const stored of listVersions(config)) {
    try {
      if (stored.kind === 'broken') throw new Error(`broken: ${stored.reason}`);
      await inference.load(stored.model);
      const { loadMs } = inference.toSnapshot(stored.model);
      const golden = String(stored.model.manifest.golden.length);
      process.stdout.write(`ok    ${toRow(stored)}  ${golden} golden images, ${String(loadMs)} ms\n`);
    } catch (thrown) {
      failures += 1;
      process.stdout.write(`FAIL  ${toRow(stored)}  ${toMessage(thrown)}\n`);
    }
  }
  return failures === 0 ? 0 : 1;
}
