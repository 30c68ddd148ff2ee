import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { projectRoot } from '../../src/cli/project.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

const run = promisify(execFile);

interface Cruise {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly { readonly rule: { readonly name: string } }[];
  };
}

async function cruise(root: string): Promise<Cruise> {
  const args = ['--config', '.dependency-cruiser.mjs', '--output-type', 'json', 'src'];
  const depcruise = path.join(projectRoot, 'node_modules', '.bin', 'depcruise');
  // It exits with the number of violations.
  const output = await run(depcruise, args, { cwd: root, maxBuffer: 1 << 26 }).catch(
    (thrown: unknown) => thrown as { stdout: string },
  );
  return JSON.parse(output.stdout) as Cruise;
}

function listSources(): string[] {
  const entries = readdirSync(path.join(projectRoot, 'src'), { recursive: true, withFileTypes: true });
  return entries.filter(({ name }) => name.endsWith('.ts')).map((entry) => path.join(entry.parentPath, entry.name));
}

test('the_layers_hold', async () => {
  const { summary } = await cruise(projectRoot);
  assert.ok(summary.totalCruised > 100, `it saw ${String(summary.totalCruised)} modules`);
  assert.deepEqual(
    summary.violations.map(({ rule }) => rule.name),
    [],
  );
});

const plants = [
  { file: 'src/http/app.ts', line: "import '../inference/inference-service.ts';", rule: 'http-imports' },
  { file: 'src/primary/supervise/supervisor.ts', line: "import 'sharp';", rule: 'primary-stays-light' },
  {
    file: 'src/primary/supervise/supervisor.ts',
    line: "import '../../model/model-store.ts';",
    rule: 'primary-imports',
  },
  { file: 'src/primary/dispatch/share.ts', line: "import '../ops/status-board.ts';", rule: 'primary-dispatch-imports' },
  { file: 'src/primary/supervise/slot.ts', line: "import '../dispatch/share.ts';", rule: 'primary-supervise-imports' },
  { file: 'src/check/verdict.ts', line: "import '@tensorflow/tfjs-node';", rule: 'tensorflow-door' },
  { file: 'src/errors.ts', line: "import './log.ts';\nimport './config/load.ts';", rule: 'root-imports' },
  { file: 'src/compile/compile-model.ts', line: "import '../model-import/inspect.ts';", rule: 'compile-imports' },
  { file: 'src/compile/simplify/simplify.ts', line: "import '../trace/trace.ts';", rule: 'compile-simplify-imports' },
  { file: 'src/compile/graph/constant.ts', line: "import '../compile-model.ts';", rule: 'compile-graph-imports' },
  { file: 'src/inference/engines/engine.ts', line: "import '../golden.ts';", rule: 'inference-engines-imports' },
  { file: 'src/train/samples/plan.ts', line: "import '../learning/network.ts';", rule: 'train-samples-imports' },
  { file: 'src/train/evaluation/held-out.ts', line: "import '../card/plot-svg.ts';", rule: 'train-evaluation-imports' },
  { file: 'src/train/learning/batch.ts', line: "import '../quality.ts';", rule: 'train-learning-imports' },
  { file: 'src/train/card/plot-svg.ts', line: "import '../export.ts';", rule: 'train-card-imports' },
  { file: 'src/cli/check.ts', line: "import type {} from '../train/samples/labels.ts';", rule: 'trainer-apart' },
  { file: 'src/cli/evaluate.ts', line: "import '../train/samples/labels.ts';", rule: 'trainer-on-demand' },
  { file: 'src/cli/command-line.ts', line: "import './train.ts';", rule: 'trainer-commands-on-demand' },
  { file: 'src/ipc/messages.ts', line: "import '../primary/primary.ts';", rule: 'no-cycles' },
];

test('planted_violations_are_found', async (context) => {
  const root = makeTempDir(context);
  for (const name of ['src', 'package.json', 'tsconfig.json', '.dependency-cruiser.mjs']) {
    cpSync(path.join(projectRoot, name), path.join(root, name), { recursive: true });
  }
  symlinkSync(path.join(projectRoot, 'node_modules'), path.join(root, 'node_modules'));
  for (const { file, line } of plants) {
    const source = readFileSync(path.join(root, file), 'utf8');
    writeFileSync(path.join(root, file), `${line}\n${source}`);
  }
  const found = new Set((await cruise(root)).summary.violations.map(({ rule }) => rule.name));
  for (const { rule } of plants) assert.ok(found.has(rule), rule);
});

test('files_stay_small', () => {
  const lengths = listSources().map((file) => readFileSync(file, 'utf8').split('\n').length - 1);
  lengths.sort((a, b) => a - b);
  assert.ok(lengths.length > 80);
  assert.ok((lengths.at(-1) ?? Infinity) <= 300);
  assert.ok((lengths[Math.floor(lengths.length / 2)] ?? Infinity) < 90);
});

test('the_map_names_every_room_and_no_other', () => {
  const map = readFileSync(path.join(projectRoot, 'src', 'README.md'), 'utf8');
  const named = [...map.matchAll(/^\| `([\w-]+)\/` *\|/gm)].map(([, room]) => room).sort();
  const entries = readdirSync(path.join(projectRoot, 'src'), { withFileTypes: true });
  assert.deepEqual(
    named,
    entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort(),
  );
});

test('no_file_is_a_barrel_or_a_drawer', () => {
  const names = listSources().map((file) => path.basename(file, '.ts'));
  assert.deepEqual(
    names.filter((name) => ['index', 'utils', 'util', 'helpers', 'helper', 'common', 'misc'].includes(name)),
    [],
  );
  assert.deepEqual(
    names.filter((name) => !/^[a-z]+(-[a-z0-9]+)*$/.test(name)),
    [],
  );
});
