import { rmSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Config } from '../config/schema.ts';
import { exitCodes, ExitError, toMessage } from '../errors.ts';
import { colours, coordinates, jpegDcts, kernels, resizeModes } from '../model/manifest.ts';
import type { AddedModel } from '../model-import/add-model.ts';
import type { ModelChoices } from '../model-import/model-choices.ts';
import { presets, unpackPreset } from '../model-import/presets.ts';
import { describeAdded } from './added-model.ts';
import { addConfigFlags, type ConfigFlags } from './config-flags.ts';
import { loadFlaggedConfig } from './flagged-config.ts';
import { findPackage } from './installed-package.ts';
import { loadLabels } from './labels-file.ts';
import { prepareTensorFlow } from './models-compile.ts';
import { toOneLine } from './one-line.ts';
import { addThresholds } from './policy-flag.ts';

interface AddFlags extends ConfigFlags, ModelChoices {
  readonly name?: string;
  readonly golden?: string[];
  readonly from?: string;
  readonly labelsFile?: string;
}

const packagePrefix = 'npm:';

/** Flags of `models add`, as commander names them. */
const choiceNames = new Set<string>([
  'labels',
  'width',
  'height',
  'resize',
  'kernel',
  'coordinates',
  'jpegDct',
  'colour',
  'scale',
  'offset',
  'activation',
  'kind',
  'output',
  'tags',
  'signature',
] satisfies (keyof ModelChoices)[]);

/** Adds `models add`. */
export function addModelsAddCommand(models: Command): void {
  const known = [...presets.keys()].map((name) => packagePrefix + name).join(', ');
  const command = models
    .command('add')
    .description('take a model into the models folder: describe, hash, score, compile and verify it')
    .argument(
      '<path>',
      `folder or file of a tfjs model or a SavedModel (also a folder of versions), or an installed package: ${known}`,
    )
    .option('--name <name[@version]>', 'what it is called in the models folder; version 1 unless said otherwise')
    .option('--golden <file...>', 'pictures whose scores are kept to verify the model by; else one is drawn')
    .option('--from <dir>', 'folder of the package, where it is not installed here');
  addChoiceFlags(command);
  addConfigFlags(command).action(async (source: string, flags: AddFlags) => {
    const { config } = loadFlaggedConfig(flags);
    const added = source.startsWith(packagePrefix)
      ? await addPackage(config, source.slice(packagePrefix.length), flags)
      : await addSource(config, source, flags, {});
    process.stdout.write(describeAdded(added));
  });
}

function addChoiceFlags(command: Command): void {
  const choose = (flags: string, description: string, values: readonly string[]): Option =>
    new Option(flags, description).choices(values);
  command
    .option('--labels <names>', 'what each score is called, comma-separated', toList)
    .addOption(
      new Option('--labels-file <file>', 'the same: one a line, or JSON: a list, or an object by numbers').conflicts(
        'labels',
      ),
    )
    .option('--width <pixels>', 'where the model takes any', toSide)
    .option('--height <pixels>', 'where the model takes any', toSide)
    .addOption(choose('--resize <how>', 'how pictures are fitted (stretch)', resizeModes))
    .addOption(choose('--kernel <kernel>', 'how pixels are computed: filtered, or sampled (lanczos)', kernels))
    .addOption(choose('--coordinates <where>', 'where samples lie, of kernels that sample (half-pixel)', coordinates))
    .addOption(choose('--jpeg-dct <how>', 'how JPEGs are decoded for kernels that sample (accurate)', jpegDcts))
    .addOption(choose('--colour <channels>', 'channels of the input (grey of one channel, else rgb)', colours))
    .option(
      '--scale <numbers>',
      'x · scale + offset for x in 0…255, one or three (1/255 for floats; 1 if the network scales itself)',
      toNumbers,
    )
    .option('--offset <numbers>', 'one or three (0)', toNumbers)
    .addOption(choose('--activation <name>', 'what makes scores of answers (none)', ['none', 'sigmoid', 'softmax']))
    .addOption(choose('--kind <kind>', 'whether one label excludes the others', ['multi-label', 'single-label']))
    .option(
      '--policy <label=review,reject>',
      'from which scores on a label flags a picture; once for each label',
      addThresholds,
    )
    .option('--output <tensor>', 'which of several outputs holds the scores')
    .option('--tags <names>', 'of a SavedModel, comma-separated (serve)', toList)
    .option('--signature <name>', 'of a SavedModel (serving_default)');
}

/** User choices override the package's own. */
async function addPackage(config: Config, presetName: string, flags: AddFlags): Promise<AddedModel> {
  const preset = presets.get(presetName);
  if (!preset) {
    const known = [...presets.keys()].join(', ');
    throw new ExitError(exitCodes.configuration, `no model is known in the package ${presetName}; there are: ${known}`);
  }
  const unpacked = await unpackPreset(preset, findPackage(preset.packageName, flags.from)).catch(refuse);
  // Also runs when a signal ends the process.
  process.once('exit', () => {
    rmSync(unpacked, { recursive: true, force: true });
  });
  return addSource(config, unpacked, { ...flags, name: flags.name ?? preset.name }, preset.choices);
}

async function addSource(config: Config, source: string, flags: AddFlags, defaults: ModelChoices): Promise<AddedModel> {
  const [name = '', version = '1'] = (flags.name ?? '').split('@', 2);
  if (name === '') throw new ExitError(exitCodes.configuration, '--name must say what the model is called');
  await prepareTensorFlow(config, 'adding a model');
  const { addModel } = await import('../model-import/add-model.ts');
  return addModel({
    ...{ source, name, version },
    modelsDir: config.models.dir,
    choices: { ...defaults, ...toChoices(flags), ...toPolicy(defaults, flags) },
    golden: flags.golden ?? [],
    limits: config.image,
    compile: { cacheDir: config.model.artefactDir, environment: process.env },
  }).catch(refuse);
}

/** Omits unset choices, so that those of the package apply. */
function toChoices(flags: AddFlags): ModelChoices {
  const said = Object.fromEntries(Object.entries(flags).filter(([name]) => choiceNames.has(name)));
  return flags.labelsFile === undefined ? said : { ...said, labels: loadLabels(flags.labelsFile) };
}

/** Labels named by the user get the user's thresholds, the others keep the package's. */
function toPolicy(defaults: ModelChoices, { policy }: AddFlags): ModelChoices {
  return { policy: { ...defaults.policy, ...policy } };
}

function refuse(thrown: unknown): never {
  throw new ExitError(exitCodes.configuration, toOneLine(toMessage(thrown)), { cause: thrown });
}

function toList(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.every((name) => name !== '')) return names;
  throw new InvalidArgumentError('must be names separated by commas');
}

function toSide(text: string): number {
  const side = Number(text);
  if (Number.isInteger(side) && side >= 1 && side <= 4096) return side;
  throw new InvalidArgumentError('must be a whole number of pixels, 1 to 4096');
}

/** Accepts fractions such as 1/255. */
function toNumbers(text: string): number | [number, number, number] {
  const numbers = text.split(',').map(toNumber);
  const [first = NaN, second = NaN, third = NaN] = numbers;
  if (numbers.length === 1 && Number.isFinite(first)) return first;
  if (numbers.length === 3 && numbers.every(Number.isFinite)) return [first, second, third];
  throw new InvalidArgumentError('must be a number, or three separated by commas');
}

function toNumber(text: string): number {
  const [, above = '', below = '1'] = /^\s*(-?[\d.]+(?:e-?\d+)?)(?:\/([\d.]+))?\s*$/i.exec(text) ?? [];
  return above === '' ? NaN : Number(above) / Number(below);
}
