// Uploads mutated pictures to the service, and decodes mutated JPEGs by the addon under AddressSanitizer and UBSan.
// --jpegs N, --others N (of each other format), --addon N: how many · --seconds N: limit of each of both parts
// --seed N: other inputs · --seeds DIR: pictures to mutate beside those made in code · --replay FILE: one saved input
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { exitOnSignal } from '../bench/exit-on-signal.ts';
import { toMessage } from '../src/errors.ts';
import { sniffFormat } from '../src/image/sniff.ts';
import { UnavailableError } from '../src/setup/unavailable-error.ts';
import { fuzzAddon, replayAddon } from './addon-fuzz.ts';
import { type Input, makeInputs } from './corpus.ts';
import { createFindings } from './findings.ts';
import { buildSanitizedAddon, type SanitizedAddon } from './sanitized-addon.ts';
import { addSeeds, drawSeeds } from './seeds.ts';
import { fuzzService } from './service-fuzz.ts';

const { values } = parseArgs({
  options: {
    jpegs: { type: 'string', default: '30000' },
    others: { type: 'string', default: '5000' },
    addon: { type: 'string', default: '35000' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string' },
    replay: { type: 'string' },
  },
});
/** A finite number, which JSON can represent. */
const unlimitedMs = 2 ** 45;
const runSeed = toCount(values.seed);
const milliseconds = values.seconds === undefined ? unlimitedMs : 1000 * toCount(values.seconds);
const findings = createFindings();
const cleanUps: (() => void)[] = [];
const context = { after: (clean: () => void) => cleanUps.push(clean) };
exitOnSignal();
process.on('exit', cleanUp);
await (values.replay === undefined ? fuzz() : replay(values.replay));
cleanUp();
console.log(`${String(findings.count())} findings`);
if (findings.count() > 0) process.exitCode = 1;

function cleanUp(): void {
  for (const clean of cleanUps.splice(0)) clean();
}

async function fuzz(): Promise<void> {
  const drawn = await drawSeeds();
  const seeds = values.seeds === undefined ? drawn : addSeeds(drawn, values.seeds);
  const others = toCount(values.others);
  const counts = { jpeg: toCount(values.jpegs), png: others, webp: others, gif: others, avif: others, tiff: others };
  await fuzzService(context, { inputs: makeInputs(seeds, runSeed, counts), runSeed, milliseconds, findings });
  const addon = await findSanitizedAddon();
  if (addon === undefined) return;
  await fuzzAddon(addon, { runSeed, count: toCount(values.addon), milliseconds, findings });
}

async function replay(file: string): Promise<void> {
  const bytes = readFileSync(file);
  const format = sniffFormat(bytes);
  const input = {
    name: path.basename(file),
    format: format === undefined || format === 'heic' ? 'jpeg' : format,
    bytes,
  };
  const inputs = function* (): Generator<Input, undefined> {
    yield input;
  };
  await fuzzService(context, { inputs: inputs(), runSeed, milliseconds, findings });
  const addon = format === 'jpeg' ? await findSanitizedAddon() : undefined;
  if (addon !== undefined && !(await replayAddon(addon, file))) findings.add(`the addon, ${input.name}`, []);
}

/** In continuous integration it has to be there. */
async function findSanitizedAddon(): Promise<SanitizedAddon | undefined> {
  try {
    return await buildSanitizedAddon();
  } catch (thrown) {
    if (!(thrown instanceof UnavailableError) || process.env['IMAGE_CHECK_REQUIRE'] === 'all') throw thrown;
    console.log(`the addon is not fuzzed: ${toMessage(thrown)}`);
    return undefined;
  }
}

function toCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${text} is no count`);
  return Number(text);
}
