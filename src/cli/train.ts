import type { Command } from 'commander';
import { prepareEngine } from './engine.ts';
import { createPhaseBar } from './phase-bar.ts';
import { assertTrainer } from './trainer.ts';

interface TrainFlags {
  readonly photos: string;
  readonly out: string;
  readonly seed: string;
  readonly rounds?: string;
}

/** Adds `train quality`: trains the shipped model on a folder of photographs. */
export function addTrainCommand(program: Command): void {
  program
    .command('train')
    .description('train a shipped model (in a checkout)')
    .command('quality')
    .description('train models/quality on a folder of good photographs; resumes an interrupted training')
    .requiredOption('--photos <dir>', 'folder of photographs')
    .requiredOption('--out <dir>', 'folder of the version to write, e.g. models/quality/2')
    .option('--seed <number>', 'seed of the random numbers', '1')
    .option('--rounds <number>', 'length of the training, in rounds of 1,024 new samples')
    .action(train);
}

async function train({ photos, out, seed, rounds }: TrainFlags): Promise<void> {
  assertTrainer('train');
  // Before TensorFlow is provisioned: a checkout without its development dependencies fails here.
  const { trainQuality } = await import('../train/train-quality.ts');
  await prepareEngine('tensorflow');
  const progress = createPhaseBar('{phase} {bar} {value}/{total} {loss}');
  await trainQuality({
    photosDir: photos,
    outDir: out,
    seed: Number(seed),
    ...(rounds !== undefined && { rounds: Number(rounds) }),
    onProgress: (phase, done, total, loss) => {
      progress.update(phase, done, total, { loss: loss === undefined ? '' : `loss ${loss.toFixed(3)}` });
    },
  }).finally(() => {
    progress.stop();
  });
  process.stdout.write(`wrote ${out}; to evaluate it: image-check evaluate --model ${out} --photos ${photos}\n`);
}
