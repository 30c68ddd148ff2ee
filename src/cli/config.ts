import type { Command } from 'commander';
import { renderDefaultFile } from '../config/default-file.ts';
import { addConfigFlags, type ConfigFlags } from './config-flags.ts';
import { assertPoliciesFit, loadFlaggedConfig } from './flagged-config.ts';

/** Adds `config`: every option's value and where it was set. */
export function addConfigCommand(program: Command): void {
  const command = program.command('config').description('print every option, its value and its source');
  addConfigFlags(command)
    .option('--defaults', 'print config/default.yaml instead')
    .action((flags: ConfigFlags & { readonly defaults?: boolean }) => {
      if (flags.defaults) {
        process.stdout.write(renderDefaultFile());
        return;
      }
      const { config, settings } = loadFlaggedConfig(flags);
      assertPoliciesFit(config);
      for (const { option, value, source } of settings) {
        process.stdout.write(`${option.path}: ${JSON.stringify(value)}  # ${source}\n`);
      }
    });
}
