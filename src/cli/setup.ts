import type { Command } from 'commander';
import { ExitError } from '../errors.ts';
import { chooseEngine } from '../setup/engine-choice.ts';

/** Adds `setup`: provisions native TensorFlow without serving. */
export function addSetupCommand(program: Command): void {
  program
    .command('setup')
    .description('provision native TensorFlow; serve does so, too')
    .action(async () => {
      const progress = process.stderr.isTTY ? 'bar' : 'lines';
      const choice = await chooseEngine({ wanted: 'auto', progress, environment: process.env });
      // Without a writable cache `setup` fails; `serve` continues with the next engine.
      if (choice.engine === 'wasm' && choice.cause instanceof ExitError) throw choice.cause;
      const line = choice.engine === 'wasm' ? `wasm: ${choice.why}` : `tensorflow ${choice.libraryVersion}`;
      process.stdout.write(`engine: ${line}\n`);
    });
}
