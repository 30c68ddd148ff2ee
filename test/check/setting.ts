import { Registry } from 'prom-client';
import sharp from 'sharp';
import type { CheckRequest } from '../../src/check/types.ts';
import { loadConfig } from '../../src/config/load.ts';
import { type ErrorCode, ServiceError } from '../../src/errors.ts';
import { createLogger } from '../../src/log.ts';
import { createWorkerMetrics } from '../../src/metrics/catalogue.ts';
import { createServices, type Services } from '../../src/worker/composition-root.ts';

/** A PNG of one colour. */
export function makeColour(r: number, g: number, b: number, width = 40, height = 30): Promise<Buffer> {
  const image = sharp({ create: { width, height, channels: 3, background: { r, g, b } } });
  return image.png().toBuffer();
}

/** The product in this process, on WebAssembly. */
interface Setting {
  readonly services: Services;
  readonly registry: Registry;
}

/** Creates the product over a folder of models; `options` are those of the configuration by their paths. */
export function createSetting(modelsDir: string, options: Readonly<Record<string, unknown>> = {}): Setting {
  const flags = new Map(
    Object.entries({ 'models.dir': modelsDir, 'check.models': ['colour'], ...options }).map(([name, value]) => [
      name,
      { value, source: 'test' },
    ]),
  );
  const { config } = loadConfig({ rootDir: modelsDir, environment: {}, flags });
  const registry = new Registry();
  const log = createLogger({ level: 'silent', format: 'json' }, {});
  return {
    services: createServices({ config, engine: 'wasm', metrics: createWorkerMetrics(registry), log }),
    registry,
  };
}

/** A request that waits long enough for a model to load. */
export function toRequest(
  images: readonly (readonly [string, Uint8Array])[],
  models: readonly string[] = [],
  asked: Partial<Pick<CheckRequest, 'rules' | 'policy'>> = {},
): CheckRequest {
  const signal = new AbortController().signal;
  return {
    requestId: 'request',
    images: images.map(([name, bytes]) => ({ name, bytes })),
    models,
    rules: [],
    policy: undefined,
    explain: false,
    ...asked,
    deadlineAt: performance.now() + 60_000,
    signal,
  };
}

/** Tells an expected failure by its code. */
export function hasCode(code: ErrorCode): (thrown: unknown) => boolean {
  return (thrown) => thrown instanceof ServiceError && thrown.code === code;
}
