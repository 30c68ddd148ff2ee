import { type ConfigSources, loadConfig, type LoadedConfig, toValue } from '../config/load.ts';
import { listOptions } from '../config/options.ts';
import type { Config } from '../config/schema.ts';
import { exitCodes, ExitError } from '../errors.ts';
import { assertPolicies } from '../model/configured-policies.ts';
import { loadModelStore } from '../model/model-store.ts';
import { defaultPolicy } from '../model/policy.ts';
import type { ConfigFlags } from './config-flags.ts';
import { projectRoot } from './project.ts';

const shortcuts = {
  port: { flag: '--port', path: 'server.port' },
  opsPort: { flag: '--ops-port', path: 'ops.port' },
  workers: { flag: '--workers', path: 'workers' },
  engine: { flag: '--engine', path: 'model.engine' },
  models: { flag: '--models', path: 'models.dir' },
} as const;

/**
 * Loads the configuration and applies the command's flags.
 * @throws ExitError 78
 */
export function loadFlaggedConfig(flags: ConfigFlags): LoadedConfig {
  const sources: ConfigSources = {
    rootDir: projectRoot,
    environment: process.env,
    ...(flags.config !== undefined && { file: flags.config }),
    flags: new Map([...toShortcuts(flags), ...(flags.set ?? []).map(toSetting)]),
  };
  return loadConfig(sources);
}

/**
 * Validates policies against the models folder, which may be missing if no policy is configured.
 * @throws ExitError 78
 */
export function assertPoliciesFit({ models, policies, check }: Config): void {
  if (Object.keys(policies).length === 0 && check.policy === defaultPolicy) return;
  assertPolicies(loadModelStore(models.dir), policies, check.policy);
}

type Flag = readonly [string, { readonly value: unknown; readonly source: string }];

function toShortcuts(flags: ConfigFlags): Flag[] {
  return Object.entries(shortcuts).flatMap(([name, { flag, path }]) => {
    const text = flags[name as keyof typeof shortcuts];
    return text === undefined ? [] : [toFlag(path, text, flag)];
  });
}

function toSetting(text: string): Flag {
  const at = text.indexOf('=');
  if (at < 1) throw new ExitError(exitCodes.configuration, `--set ${text}: must be option=value`);
  return toFlag(text.slice(0, at), text.slice(at + 1), '--set');
}

function toFlag(path: string, text: string, source: string): Flag {
  const option = listOptions().find((known) => known.path === path);
  return [path, { value: option ? toValue(text, option) : text, source }];
}
