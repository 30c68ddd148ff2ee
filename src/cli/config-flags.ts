import type { Command } from 'commander';

/** Flags that every command which reads the configuration knows. */
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
    .option('--config <file>', 'a YAML file over config/default.yaml')
    .option('--set <option=value...>', 'one option, e.g. --set upload.maxBytes=1048576')
    .option('--engine <name>', 'auto, tensorflow or wasm (model.engine)')
    .option('--models <dir>', 'the models folder (models.dir)');
}
