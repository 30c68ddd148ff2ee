import type { Command } from 'commander';
import { toNativeEnvironment } from '../config/native-environment.ts';
import { chooseEngine } from '../setup/engine-choice.ts';
import { createPhaseBar } from './phase-bar.ts';

interface TrainFlags {
  readonly photos: string;
  readonly out: string;
  readonly seed: string;
  readonly rounds?: string;
}

/** Adds `train quality`: makes the shipped model anew from a folder of photographs. */
export function addTrainCommand(program: Command): void {
  program
    .command('train')
    .description('train a shipped model')
    .command('quality')
    .description('train models/quality on a folder of good photographs; a training that was stopped goes on')
    .requiredOption('--photos <dir>', 'folder of photographs')
    .requiredOption('--out <dir>', 'folder of the version to write, e.g. models/quality/2')
    .option('--seed <number>', 'seed of all chance', '1')
    .option('--rounds <number>', 'how long to learn: a round is 1,024 new pictures')
    .action(train);
}

async function train({ photos, out, seed, rounds }: TrainFlags): Promise<void> {
  Object.assign(process.env, toNativeEnvironment(process.env));
  await chooseEngine({ wanted: 'tensorflow', progress: 'lines', environment: process.env });
  const { trainQuality } = await import('../train/quality.ts');
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
  process.stdout.write(`${out} is written; measure it: image-check evaluate --model ${out} --photos ${photos}\n`);
}
