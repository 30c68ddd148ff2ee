import type { Command } from 'commander';
import { chooseEngine } from '../setup/engine-choice.ts';

/** Adds `setup`: provisions native TensorFlow without serving. */
export function addSetupCommand(program: Command): void {
  program
    .command('setup')
    .description('provision native TensorFlow; serve does it too')
    .action(async () => {
      const progress = process.stderr.isTTY ? 'bar' : 'lines';
      const choice = await chooseEngine({ wanted: 'auto', progress, environment: process.env });
      const line = choice.engine === 'wasm' ? `wasm: ${choice.why}` : `tensorflow ${choice.libraryVersion}`;
      process.stdout.write(`engine: ${line}\n`);
    });
}
