import type { Command } from 'commander';
import type { Table } from '../train/card/evaluation-tables.ts';
import type { ModelEvaluation } from '../train/evaluation/evaluate-model.ts';
import { prepareEngine } from './engine.ts';
import { loadFlaggedConfig } from './flagged-config.ts';
import { createPhaseBar } from './phase-bar.ts';
import { toTable } from './text-table.ts';
import { assertTrainer } from './trainer.ts';

interface EvaluateFlags {
  readonly model: string;
  readonly photos: string;
  readonly real?: string;
  readonly seed: string;
  readonly json?: boolean;
}

/** Adds `evaluate`: measures a model on photographs that it was not trained on. */
export function addEvaluateCommand(program: Command): void {
  program
    .command('evaluate')
    .description('measure a model of picture quality and write tables and plots into its model card (in a checkout)')
    .requiredOption('--model <dir>', 'folder of the version, e.g. models/quality/2')
    .requiredOption('--photos <dir>', 'folder of good photographs; those used in training are left out')
    .option('--real <dir>', 'real pictures in subfolders named good… or by label, e.g. blurry-motion')
    .option('--seed <number>', 'seed of the random numbers', '1')
    .option('--json', 'print all figures as JSON')
    .action(evaluate);
}

async function evaluate(flags: EvaluateFlags): Promise<void> {
  assertTrainer('evaluate');
  const { config } = loadFlaggedConfig({});
  const { evaluateModel, planEvaluation } = await import('../train/evaluation/evaluate-model.ts');
  const { openCard, writeReport } = await import('../train/card/evaluation-report.ts');
  const { model, photos, real, seed } = flags;
  const plan = await planEvaluation({ modelDir: model, photosDir: photos, realDir: real, seed: Number(seed) });
  const card = await openCard(model);
  await prepareEngine('tensorflow');
  const progress = createPhaseBar();
  const evaluation = await evaluateModel(plan, {
    limits: config.image,
    artefactDir: config.model.artefactDir,
    onProgress: progress.update,
  }).finally(() => {
    progress.stop();
  });
  await writeReport(card, evaluation);
  process.stdout.write(flags.json ? `${JSON.stringify(evaluation)}\n` : await toText(evaluation));
}

async function toText({ synthetic, real }: ModelEvaluation): Promise<string> {
  const { toCount, toFolderTable, toLabelTable, toRealTable } = await import('../train/card/evaluation-tables.ts');
  const toLines = ({ head, rows }: Table): string => toTable([head, ...rows]);
  const { pictures, flagged, rejected } = synthetic.originals;
  const toNames = (names: readonly string[]): string => (names.length === 0 ? '' : `  ${names.join(', ')}`);
  const parts = [
    toLines(toLabelTable(synthetic.labels)),
    `untouched originals: ${String(pictures)}
flagged ${toCount(flagged.length, pictures)}${toNames(flagged)}
rejected ${toCount(rejected.length, pictures)}${toNames(rejected)}\n`,
  ];
  if (real) {
    parts.push(toLines(toRealTable(real)), toLines(toFolderTable(real)));
    const wrong = real.folders.flatMap(({ name, wrong: files }) => files.map((file) => `wrong: ${name}/${file}\n`));
    parts.push(wrong.join(''));
  }
  return parts.filter((part) => part !== '').join('\n');
}
