import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Command, CommanderError } from 'commander';
import { commands } from '../../src/cli/command-line.ts';
import { projectRoot } from '../../src/cli/project.ts';
import { listOptions } from '../../src/config/options.ts';
import type { ShellCommand } from './shell-commands.ts';

const { bin, scripts, dependencies, devDependencies } = JSON.parse(
  readFileSync(path.join(projectRoot, 'package.json'), 'utf8'),
) as Record<'bin' | 'scripts' | 'dependencies' | 'devDependencies', Record<string, string>>;

/** What inline code leaves out where it only mentions a command. */
const unsaid = [
  'commander.help',
  'commander.missingArgument',
  'commander.missingMandatoryOptionValue',
  'commander.optionMissingArgument',
];
const shown = ['commander.helpDisplayed', 'commander.version'];

/** Creates the command line of `image-check` with commands that do nothing but note the options that they were given. */
async function createProgram(onOptions: (options: Record<string, unknown>) => void): Promise<Command> {
  const program = new Command('image-check')
    .exitOverride()
    .configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
    .version('0.0.0');
  for (const load of Object.values(commands)) (await load())(program);
  const disarm = (command: Command): void => {
    for (const child of command.commands) disarm(child);
    if (command.commands.length > 0) return;
    command.action(() => {
      onOptions(command.opts());
    });
  };
  disarm(program);
  return program;
}

/** Lists every command of `image-check`, as `models add`. */
export async function listSubcommands(): Promise<string[]> {
  const walk = (command: Command): string[] =>
    command.commands.flatMap((child) =>
      child.commands.length === 0 ? [child.name()] : walk(child).map((name) => `${child.name()} ${name}`),
    );
  return walk(await createProgram(() => undefined));
}

/** Lists every flag of `image-check`, as `--labels-file`. */
export async function listFlags(): Promise<string[]> {
  const walk = (command: Command): string[] => [
    ...command.options.flatMap(({ long }) => long ?? []),
    ...command.commands.flatMap(walk),
  ];
  return [...walk(await createProgram(() => undefined)), '--help'];
}

/** Says what is wrong with a documented command; undefined where it is right, or no command of this project. */
export async function findFault({ words, isWhole }: ShellCommand): Promise<string | undefined> {
  const [program = '', ...rest] = words;
  if (program === 'node' && rest[0] === 'src/launcher.mjs') return checkArguments(rest.slice(1), isWhole);
  if (program === 'image-check') return checkArguments(rest, isWhole);
  if (program === 'npx') return checkPackage(rest, isWhole);
  if (program === 'npm') return checkScript(rest);
  if (program === 'node' || /^\.\w*\//.test(program)) return checkFile(words);
  if (!isWhole && Object.hasOwn(commands, program)) return checkArguments(words, false);
  return undefined;
}

async function checkArguments(args: readonly string[], isWhole: boolean): Promise<string | undefined> {
  if (args[0] === 'COMMAND') return undefined;
  const settings: string[] = [];
  const program = await createProgram(({ set }) => {
    if (Array.isArray(set)) settings.push(...set.map(String));
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    return [...shown, ...(isWhole ? [] : unsaid)].includes(thrown.code) ? undefined : thrown.message;
  }
  const unknown = settings.find((text) => !listOptions().some((option) => text.startsWith(`${option.path}=`)));
  return unknown === undefined ? undefined : `no such option: ${unknown}`;
}

async function checkPackage(words: readonly string[], isWhole: boolean): Promise<string | undefined> {
  const [name = '', ...args] = words[0] === '--no' ? words.slice(1) : words;
  if (Object.hasOwn(bin, name)) return checkArguments(args, isWhole);
  const isInstalled = Object.hasOwn({ ...dependencies, ...devDependencies }, name);
  return isInstalled || name === '' ? undefined : `npx ${name}: no such dependency`;
}

function checkScript([command = '', ...rest]: readonly string[]): string | undefined {
  const name = command === 'run' ? rest.find((word) => !word.startsWith('-')) : command;
  if (name === undefined || (command !== 'run' && !['start', 'test'].includes(command))) return undefined;
  return Object.hasOwn(scripts, name) ? undefined : `npm run ${name}: no such script`;
}

/** The program, or what Node is to run. */
function checkFile(words: readonly string[]): string | undefined {
  const files = words.filter((word) => word.startsWith('.') || /^(src|test|bench|docs|fuzz)\//.test(word));
  const missing = files.find((file) => !/[<…*]/.test(file) && !existsSync(path.join(projectRoot, file)));
  return missing === undefined ? undefined : `${missing}: no such file`;
}
