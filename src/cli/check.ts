import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { toShortList } from '../short-list.ts';
import { addConfigFlags, type ConfigFlags } from './config-flags.ts';
import { type Asked, type Checked, createLocalChecker, createRemoteChecker, type FileChecker } from './file-checker.ts';
import { assertPoliciesFit, loadFlaggedConfig } from './flagged-config.ts';
import { listPictures } from './pictures.ts';

interface CheckFlags extends ConfigFlags {
  readonly server?: string;
  readonly json?: boolean;
  readonly recursive?: boolean;
  readonly model?: string;
  readonly rules?: string;
  readonly policy?: string;
  readonly explain?: boolean;
}

const exitCodeOf = { accept: 0, review: 1, reject: 1, error: 2 } as const;

/** Adds `check`: verdicts for files, folders or standard input. */
export function addCheckCommand(program: Command): void {
  const command = program
    .command('check')
    .description('check images; exit code 0: all accepted, 1: at least one is not, 2: an error')
    .argument('<file...>', 'files, folders, or - for standard input')
    .option('--server <url>', 'check with a running service instead of in this process')
    .option('--model <names>', 'models, comma-separated (check.models)')
    .option('--rules <names>', 'profiles of image rules, comma-separated (rules)')
    .option('--policy <name>', 'set of thresholds (check.policy)')
    .option('--json', 'print one JSON object per line')
    .option('--explain', 'with --json: add a map of where flagged labels show')
    .option('--recursive', 'descend into subfolders');
  addConfigFlags(command).action(async (files: string[], flags: CheckFlags) => {
    const asked = {
      models: toNames(flags.model),
      rules: toNames(flags.rules),
      policy: flags.policy,
      explain: flags.explain ?? false,
    };
    const checker =
      flags.server === undefined ? await startLocalChecker(flags, asked) : createRemoteChecker(flags.server, asked);
    process.exitCode = await checkAll(files, flags, checker);
  });
}

function toNames(text = ''): string[] {
  const names = text.split(',').map((name) => name.trim());
  return names.filter((name) => name !== '');
}

async function startLocalChecker(flags: ConfigFlags, asked: Asked): Promise<FileChecker> {
  const { config } = loadFlaggedConfig(flags);
  assertPoliciesFit(config);
  return createLocalChecker(config, asked);
}

async function checkAll(files: readonly string[], flags: CheckFlags, check: FileChecker): Promise<number> {
  const pictures = await listPictures(files, flags.recursive ?? false);
  const isShown = process.stderr.isTTY && pictures.length > 1;
  const bar = isShown
    ? new SingleBar({ format: 'checking {bar} {value}/{total} {name}', clearOnComplete: true })
    : undefined;
  bar?.start(pictures.length, 0, { name: '' });
  let exitCode = 0;
  for (const picture of pictures) {
    bar?.increment(1, { name: picture.name });
    const checked = await check(picture);
    exitCode = Math.max(exitCode, exitCodeOf[checked.verdict]);
    process.stdout.write(`${flags.json ? JSON.stringify(checked) : toLine(checked)}\n`);
  }
  bar?.stop();
  return exitCode;
}

function toLine(checked: Checked): string {
  if (checked.verdict === 'error') return `error   ${checked.name}  ${checked.error.code}: ${checked.error.detail}`;
  const broken = (checked.rules ?? []).filter((rule) => rule.verdict !== 'accept');
  const rules = broken.map(({ rule, limit, actual }) => `${rule} ${String(actual)} (${String(limit)})`);
  const flagged = checked.checks.flatMap((check) => check.labels.filter((label) => label.verdict !== 'accept'));
  const labels = flagged.map(({ label, score }) => `${label} ${score.toFixed(2)}`);
  const reasons = toShortList([...rules, ...labels]);
  return `${checked.verdict.padEnd(7)} ${checked.name}${reasons && `  ${reasons}`}`;
}
