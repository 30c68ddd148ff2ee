import { Registry } from 'prom-client';
import type { Config } from '../config/schema.ts';
import { toMessage } from '../errors.ts';
import { createLogger } from '../log.ts';
import { createWorkerMetrics } from '../metrics/catalogue.ts';
import { type StoredVersion, toVersion } from '../model/model-store.ts';
import { prepareEngine } from './engine.ts';
import { toOneLine } from './one-line.ts';

/** Loads every version as a worker does. @returns the exit code: 1 where one fails. */
export async function verifyVersions(config: Config): Promise<number> {
  const { engine } = await prepareEngine(config.model.engine);
  const { createServices } = await import('../worker/composition-root.ts');
  const log = createLogger({ level: 'error', format: 'pretty' }, {});
  // All models of the folder are verified; `check.models` may be absent.
  const alone = { ...config, check: { ...config.check, models: [] } };
  const metrics = createWorkerMetrics(new Registry());
  const { inference, store } = createServices({ config: alone, engine, metrics, log });
  let exitCode = 0;
  for (const stored of [...store().values()].flat()) {
    try {
      if (stored.kind === 'broken') throw new Error(`broken: ${stored.reason}`);
      await inference.load(stored.model);
      const { loadMs = 0 } = inference.toSnapshot(stored.model);
      const golden = String(stored.model.manifest.golden.length);
      process.stdout.write(`ok    ${toName(stored)}  ${golden} golden images, ${String(Math.round(loadMs))} ms\n`);
    } catch (thrown) {
      exitCode = 1;
      process.stdout.write(`FAIL  ${toName(stored)}  ${toOneLine(toMessage(thrown))}\n`);
    }
  }
  return exitCode;
}

function toName(stored: StoredVersion): string {
  return `${stored.kind === 'usable' ? stored.model.name : stored.name}@${toVersion(stored)}`;
}
