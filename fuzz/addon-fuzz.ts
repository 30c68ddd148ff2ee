import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RasterShape } from '../src/image/types.ts';
import type { AddonOrder, AddonReport } from './addon-order.ts';
import type { Findings } from './findings.ts';
import { drawPlainSeeds, makeAddonInput, readShape } from './plain-jpegs.ts';
import type { SanitizedAddon } from './sanitized-addon.ts';

const program = fileURLToPath(new URL('addon-process.ts', import.meta.url));
const typescript = new URL('../test/typescript.mjs', import.meta.url).href;
/** Limits restarts: one cause can end every process. */
const maxEnds = 5;

/** A third of as many inputs becomes a raster. */
const fairSample = 100;

/** How many inputs to make, and when to stop. */
export interface AddonRun {
  readonly runSeed: number;
  readonly count: number;
  /** At most. */
  readonly milliseconds: number;
  readonly findings: Findings;
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Decodes mutated JPEGs by the addon under AddressSanitizer and UBSan; prints the counts of outcomes.
 * @throws Error if the sanitizers miss a planted error.
 */
export async function fuzzAddon(addon: SanitizedAddon, run: AddonRun): Promise<void> {
  await assertSanitized(addon);
  const folder = mkdtempSync(path.join(tmpdir(), 'image-check-addon-'));
  const progressFile = path.join(folder, 'number');
  const totals = new Map<string, number>();
  const startedAt = Date.now();
  const endsAt = startedAt + run.milliseconds;
  try {
    let from = 0;
    for (let ends = 0; from < run.count && Date.now() < endsAt && ends < maxEnds;) {
      const ended = await start(addon, {
        kind: 'fuzz',
        runSeed: run.runSeed,
        from,
        to: run.count,
        endsAt,
        progressFile,
      });
      if (ended.code === 0) {
        const { next, counts } = JSON.parse(ended.stdout.trim().split('\n').at(-1) ?? '') as AddonReport;
        for (const [outcome, count] of Object.entries(counts)) {
          if (count > 0) totals.set(outcome, (totals.get(outcome) ?? 0) + count);
        }
        from = next;
      } else {
        ends += 1;
        from = (await noteEnd(run, ended, progressFile)) + 1;
      }
    }
    if (from >= fairSample && !totals.has('raster')) throw new Error('no input reached the addon');
    const counts = [...totals].map(([outcome, count]) => `${outcome}: ${String(count)}`).join(', ');
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
    console.log(`${String(from)} JPEGs through the addon under sanitizers in ${seconds} s: ${counts}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Decodes a saved input again, for the raster in its name, or else for several. */
export async function replayAddon(addon: SanitizedAddon, file: string): Promise<boolean> {
  const known = readShape(path.basename(file));
  const modes = ['cover', 'contain', 'stretch', 'long-side'] as const;
  const usual: RasterShape[] = modes.flatMap((resize) =>
    [32, 224].map((side) => ({ width: side, height: side, resize })),
  );
  const ended = await start(addon, { kind: 'replay', file, shapes: known === undefined ? usual : [known] });
  console.log(`${ended.stdout}${ended.stderr}the addon: ${describeEnd(ended)}`);
  return ended.code === 0;
}

/** A run in which planted errors go unnoticed would prove nothing. */
async function assertSanitized(addon: SanitizedAddon): Promise<void> {
  for (const [error, report] of [
    ['heap', 'AddressSanitizer: heap-buffer-overflow'],
    ['undefined', 'runtime error: signed integer overflow'],
  ] as const) {
    const ended = await start(addon, { kind: 'planted', addon: addon.plantedErrors, error });
    if (ended.code === 0 || !ended.stderr.includes(report)) {
      throw new Error(
        `the sanitizers do not report a planted error (${report}): ${describeEnd(ended)}\n${ended.stderr}`,
      );
    }
  }
}

async function noteEnd({ runSeed, findings }: AddonRun, ended: Ended, progressFile: string): Promise<number> {
  const text = readFileSync(progressFile, 'utf8').trim();
  if (text === '') throw new Error(`the addon's process did not start: ${ended.stderr}`);
  const number = Number(text);
  const input = makeAddonInput(await drawPlainSeeds(), runSeed, number);
  findings.add(`the addon, ${input.name}: ${describeEnd(ended)}\n${ended.stderr}`, [input]);
  return number;
}

function describeEnd({ code, signal }: Ended): string {
  return code === 0 ? 'no error' : `ended with ${signal ?? `exit code ${String(code)}`}`;
}

async function start(addon: SanitizedAddon, order: AddonOrder): Promise<Ended> {
  const child = spawn(process.execPath, ['--import', typescript, program, JSON.stringify(order)], {
    env: addon.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  process.on('exit', kill);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-20_000)));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  process.off('exit', kill);
  return { code, signal, stdout, stderr };
}
