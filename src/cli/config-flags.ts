import type { Command } from 'commander';

/** Flags of every command that reads the configuration. */
export interface ConfigFlags {
  readonly config?: string;
  readonly set?: readonly string[];
  readonly port?: string;
  readonly opsPort?: string;
  readonly workers?: string;
  readonly engine?: string;
  readonly models?: string;
}

/** Adds `--config` and `--set` to a command. */
export function addConfigFlags(command: Command): Command {
  return command
    .option('--config <file>', 'YAML file that overrides config/default.yaml')
    .option('--set <option=value...>', 'override one option, e.g. --set upload.maxBytes=1048576')
    .option('--engine <name>', 'auto, tensorflow or wasm (model.engine)')
    .option('--models <dir>', 'models folder (models.dir)');
}
