import { Command, CommanderError } from 'commander';
import { ExitError, exitCodes } from '../errors.ts';
import { addCheckCommand } from './check.ts';
import { addConfigCommand } from './config.ts';
import { addDoctorCommand } from './doctor.ts';
import { addEvaluateCommand } from './evaluate.ts';
import { addModelsCommand } from './models.ts';
import { loadVersion } from './project.ts';
import { addServeCommand } from './serve.ts';
import { addSetupCommand } from './setup.ts';
import { addTrainCommand } from './train.ts';

/** Runs one command of `image-check`; `serve` where none is named. Expected failures end in one line and their exit code. */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  const program = new Command('image-check')
    .description('Checks uploaded pictures with TensorFlow models on every CPU of a machine.')
    .version(loadVersion())
    .showHelpAfterError()
    .exitOverride();
  addServeCommand(program);
  addCheckCommand(program);
  addModelsCommand(program);
  addTrainCommand(program);
  addEvaluateCommand(program);
  addSetupCommand(program);
  addDoctorCommand(program);
  addConfigCommand(program);
  try {
    assertKnown(program, args[0]);
    await program.parseAsync([...args], { from: 'user' });
  } catch (thrown) {
    if (thrown instanceof ExitError) {
      process.stderr.write(`image-check: ${thrown.message}\n`);
      process.exitCode = thrown.exitCode;
    } else if (thrown instanceof CommanderError) {
      process.exitCode = thrown.exitCode === 0 ? 0 : exitCodes.configuration;
    } else throw thrown;
  }
}

/** Without this a misspelt command would be an argument too many of the default one. */
function assertKnown(program: Command, name: string | undefined): void {
  if (name === undefined || name.startsWith('-') || name === 'help') return;
  if (program.commands.some((command) => command.name() === name)) return;
  throw new ExitError(exitCodes.configuration, `unknown command '${name}'; image-check --help lists them`);
}
