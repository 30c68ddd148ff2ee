import { Command, CommanderError } from 'commander';
import { exitCodes, ExitError } from '../errors.ts';
import { loadVersion } from './project.ts';

/** Loads each command on demand: the modules of all commands take 170 ms of CPU. */
export const commands: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  serve: async () => (await import('./serve.ts')).addServeCommand,
  check: async () => (await import('./check.ts')).addCheckCommand,
  models: async () => (await import('./models.ts')).addModelsCommand,
  train: async () => (await import('./train.ts')).addTrainCommand,
  evaluate: async () => (await import('./evaluate.ts')).addEvaluateCommand,
  setup: async () => (await import('./setup.ts')).addSetupCommand,
  doctor: async () => (await import('./doctor.ts')).addDoctorCommand,
  config: async () => (await import('./config.ts')).addConfigCommand,
};

/** Runs one command of `image-check`; `serve` by default. Expected failures print one line and set their exit code. */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  const program = new Command('image-check')
    .description('Checks uploaded pictures with TensorFlow models on every CPU of a machine.')
    .version(loadVersion())
    .showHelpAfterError()
    .exitOverride();
  try {
    for (const name of chooseCommands(args)) (await commands[name]?.())?.(program);
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

/** Chooses the commands that the arguments can refer to: the named one, the default, or all for help. */
function chooseCommands([name = '', ...others]: readonly string[]): readonly string[] {
  if (Object.hasOwn(commands, name)) return [name];
  // A misspelt command would be an excess argument of the default one.
  if (name !== '' && name !== 'help' && !name.startsWith('-')) {
    throw new ExitError(exitCodes.configuration, `unknown command '${name}'; image-check --help lists them`);
  }
  const isHelp = [name, ...others].some((arg) => ['help', '--help', '-h'].includes(arg));
  return isHelp ? Object.keys(commands) : ['serve'];
}
