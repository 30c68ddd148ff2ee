import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { toNativeEnvironment } from '../config/native-environment.ts';
import { chooseEngine } from '../setup/engine-choice.ts';

interface TrainFlags {
  readonly photos: string;
  readonly out: string;
  readonly seed: string;
  readonly epochs?: string;
}

/** Adds `train quality`: makes the shipped model anew from a folder of photographs. */
export function addTrainCommand(program: Command): void {
  program
    .command('train')
    .description('train a shipped model')
    .command('quality')
    .description('train models/quality on a folder of good photographs')
    .requiredOption('--photos <dir>', 'folder of photographs')
    .requiredOption('--out <dir>', 'folder of the version to write, e.g. models/quality/1')
    .option('--seed <number>', 'seed of all chance', '1')
    .option('--epochs <number>', 'passes over the photographs')
    .action(train);
}

async function train(flags: TrainFlags): Promise<void> {
  Object.assign(process.env, toNativeEnvironment(process.env));
  await chooseEngine({ wanted: 'tensorflow', progress: 'lines', environment: process.env });
  const { trainQuality } = await import('../train/quality.ts');
  const bar = new SingleBar({ format: '{phase} {bar} {value}/{total}' });
  let lastPhase = '';
  const { areas, rates } = await trainQuality({
    photosDir: flags.photos,
    outDir: flags.out,
    seed: Number(flags.seed),
    ...(flags.epochs !== undefined && { epochs: Number(flags.epochs) }),
    onProgress: (phase, done, total) => {
      if (phase !== lastPhase && !process.stderr.isTTY) process.stderr.write(`${phase}\n`);
      if (phase !== lastPhase) bar.start(total, 0, { phase });
      lastPhase = phase;
      bar.update(done, { phase });
    },
  });
  bar.stop();
  for (const [label, area] of Object.entries(areas)) process.stdout.write(`${label}: AUC ${area.toFixed(4)}\n`);
  for (const { name, total, flagged } of rates)
    process.stdout.write(`${name}: ${String(flagged)}/${String(total)} flagged\n`);
}
