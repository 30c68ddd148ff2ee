import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { ESLint, type Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import { projectRoot } from '../../src/cli/project.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

const run = promisify(execFile);
/** That of `npm run lint`, which has cruised the same files just before. */
const cruiseCache = path.join('node_modules', '.cache', 'dependency-cruiser');

interface Cruise {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[];
  };
}

async function cruise(root: string, ...args: readonly string[]): Promise<Cruise> {
  const common = ['--config', '.dependency-cruiser.mjs', '--output-type', 'json'];
  const depcruise = path.join(projectRoot, 'node_modules', '.bin', 'depcruise');
  // It exits with the number of violations.
  const output = await run(depcruise, [...common, ...args], { cwd: root, maxBuffer: 1 << 26 }).catch(
    (thrown: unknown) => thrown as { stdout: string },
  );
  return JSON.parse(output.stdout) as Cruise;
}

function listFiles(folder: string, names: RegExp): string[] {
  const entries = readdirSync(path.join(projectRoot, folder), { recursive: true, withFileTypes: true });
  return entries.filter(({ name }) => names.test(name)).map((entry) => path.join(entry.parentPath, entry.name));
}

function listSources(): string[] {
  return listFiles('src', /\.ts$/);
}

function countLines(file: string): number {
  return readFileSync(file, 'utf8').split('\n').length - 1;
}

test('the_layers_hold', async () => {
  const { summary } = await cruise(projectRoot, '--cache', cruiseCache, 'src', 'bench', 'fuzz', 'pack');
  assert.ok(summary.totalCruised > 100, `it saw ${String(summary.totalCruised)} modules`);
  assert.deepEqual(
    summary.violations.map(({ rule }) => rule.name),
    [],
  );
});

/** One violation of each rule; what a line imports need not exist. */
const plants = [
  { file: 'src/cli/planted.ts', line: "import '../http/planted.ts';", rule: 'cli-imports' },
  { file: 'src/primary/planted.ts', line: "import '../model/planted.ts';", rule: 'primary-imports' },
  { file: 'src/worker/planted.ts', line: "import '../cli/planted.ts';", rule: 'worker-imports' },
  { file: 'src/ipc/planted.ts', line: "import '../http/planted.ts';", rule: 'ipc-imports' },
  { file: 'src/http/planted.ts', line: "import '../inference/planted.ts';", rule: 'http-imports' },
  { file: 'src/connection/planted.ts', line: "import '../http/planted.ts';", rule: 'connection-imports' },
  { file: 'src/check/planted.ts', line: "import '../http/planted.ts';", rule: 'check-imports' },
  { file: 'src/image/planted.ts', line: "import '../check/planted.ts';", rule: 'image-imports' },
  { file: 'src/model/planted.ts', line: "import '../inference/planted.ts';", rule: 'model-imports' },
  { file: 'src/compile/planted.ts', line: "import '../train/planted.ts';", rule: 'compile-imports' },
  { file: 'src/train/planted.ts', line: "import '../compile/planted.ts';", rule: 'train-imports' },
  { file: 'src/inference/planted.ts', line: "import '../check/planted.ts';", rule: 'inference-imports' },
  { file: 'src/metrics/planted.ts', line: "import '../primary/planted.ts';", rule: 'metrics-imports' },
  { file: 'src/config/planted.ts', line: "import '../setup/planted.ts';", rule: 'config-imports' },
  { file: 'src/setup/planted.ts', line: "import '../cli/planted.ts';", rule: 'setup-imports' },
  { file: 'src/model-import/planted.ts', line: "import '../train/planted.ts';", rule: 'model-import-imports' },
  { file: 'src/compile/graph/planted.ts', line: "import '../trace/planted.ts';", rule: 'compile-graph-imports' },
  { file: 'src/compile/trace/planted.ts', line: "import '../freeze/planted.ts';", rule: 'compile-trace-imports' },
  { file: 'src/compile/freeze/planted.ts', line: "import '../simplify/planted.ts';", rule: 'compile-freeze-imports' },
  { file: 'src/compile/simplify/planted.ts', line: "import '../verify/planted.ts';", rule: 'compile-simplify-imports' },
  { file: 'src/compile/verify/planted.ts', line: "import '../planted.ts';", rule: 'compile-verify-imports' },
  { file: 'src/compile/measure/planted.ts', line: "import '../graph/planted.ts';", rule: 'compile-measure-imports' },
  { file: 'src/inference/engines/planted.ts', line: "import '../planted.ts';", rule: 'inference-engines-imports' },
  {
    file: 'src/primary/supervise/planted.ts',
    line: "import '../dispatch/planted.ts';",
    rule: 'primary-supervise-imports',
  },
  { file: 'src/primary/dispatch/planted.ts', line: "import '../ops/planted.ts';", rule: 'primary-dispatch-imports' },
  { file: 'src/primary/ops/planted.ts', line: "import '../planted.ts';", rule: 'primary-ops-imports' },
  { file: 'src/train/samples/planted.ts', line: "import '../learning/planted.ts';", rule: 'train-samples-imports' },
  {
    file: 'src/train/evaluation/planted.ts',
    line: "import '../learning/planted.ts';",
    rule: 'train-evaluation-imports',
  },
  { file: 'src/train/learning/planted.ts', line: "import '../card/planted.ts';", rule: 'train-learning-imports' },
  { file: 'src/train/card/planted.ts', line: "import '../planted.ts';", rule: 'train-card-imports' },
  { file: 'src/cli/planted.ts', line: "import '../train/planted.ts';", rule: 'trainer-apart' },
  { file: 'src/cli/evaluate.ts', line: "import '../train/planted.ts';", rule: 'trainer-on-demand' },
  { file: 'src/cli/planted.ts', line: "import './train.ts';", rule: 'trainer-commands-on-demand' },
  { file: 'src/primary/planted.ts', line: "import 'sharp';", rule: 'primary-stays-light' },
  { file: 'src/check/planted.ts', line: "import '@tensorflow/tfjs-node';", rule: 'tensorflow-door' },
  { file: 'src/errors.ts', line: "import './config/planted.ts';", rule: 'root-imports' },
  { file: 'src/main.ts', line: "import './http/planted.ts';", rule: 'main-imports' },
  { file: 'src/inference/planted.ts', line: "import '../model/planted.ts';", rule: 'no-cycles' },
  { file: 'src/cli/planted.ts', line: "import './absent.ts';", rule: 'not-resolvable' },
  { file: 'src/cli/planted.ts', line: "import '../../bench/planted.ts';", rule: 'no-tools-in-src' },
  { file: 'src/vault/planted.ts', line: "import '../cli/planted.ts';", rule: 'unlisted-folder' },
  { file: 'bench/planted.ts', line: "import './peers/planted.ts';", rule: 'bench-root-imports' },
  { file: 'bench/peers/planted.ts', line: "import '../versus/planted.ts';", rule: 'bench-peers-imports' },
  { file: 'bench/versus/planted.ts', line: "import '../queueing/planted.ts';", rule: 'bench-versus-imports' },
  { file: 'bench/queueing/planted.ts', line: "import '../peers/planted.ts';", rule: 'bench-queueing-imports' },
  { file: 'bench/seed-failure/planted.ts', line: "import '../peers/planted.ts';", rule: 'bench-seed-failure-imports' },
  { file: 'fuzz/planted.ts', line: "import '../bench/peers/planted.ts';", rule: 'fuzz-imports' },
  { file: 'fuzz/planted.ts', line: "import '../test/http/planted.ts';", rule: 'tools-import-fixtures-only' },
];

/** A tree of the planted files and of empty ones that they import: the rules are about paths, and it is cruised in no time. */
function plant(root: string): void {
  const append = (file: string, text: string): void => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    appendFileSync(path.join(root, file), text);
  };
  for (const { file, line, rule } of plants) {
    append(file, `${line}\n`);
    for (const [, target = ''] of line.matchAll(/'(\.[^']+)'/g)) {
      if (rule !== 'not-resolvable') append(path.join(path.dirname(file), target), '');
    }
  }
}

test('planted_violations_are_found', async (context) => {
  const root = makeTempDir(context);
  for (const name of ['package.json', 'tsconfig.json', '.dependency-cruiser.mjs']) {
    cpSync(path.join(projectRoot, name), path.join(root, name));
  }
  symlinkSync(path.join(projectRoot, 'node_modules'), path.join(root, 'node_modules'));
  plant(root);
  const { summary } = await cruise(root, 'src', 'bench', 'fuzz');
  const found = new Set(summary.violations.map(({ rule, from }) => `${rule.name} in ${from}`));
  for (const { rule, file } of plants) assert.ok(found.has(`${rule} in ${file}`), rule);
});

test('each_rule_has_a_planted_violation', async () => {
  const { default: config } = (await import(path.join(projectRoot, '.dependency-cruiser.mjs'))) as {
    default: { forbidden: readonly { name: string }[] };
  };
  assert.deepEqual(
    config.forbidden.map(({ name }) => name).sort(),
    [...new Set(plants.map(({ rule }) => rule))].sort(),
  );
});

const constructions = [
  { file: 'src/http/app.ts', line: 'new InferenceService(options);', isFound: true },
  { file: 'src/cli/check.ts', line: 'new Admission(1, 1, 1);', isFound: true },
  { file: 'src/worker/worker.ts', line: 'createCheckService(options);', isFound: true },
  { file: 'src/primary/ops/ops-answers.ts', line: 'new Quarantine(forMs, onChange);', isFound: true },
  { file: 'src/worker/composition-root.ts', line: 'new InferenceService(options);', isFound: false },
  { file: 'test/check/admission.test.ts', line: 'new Admission(1, 1, 1);', isFound: false },
];

test('services_are_constructed_by_composition_roots_alone', async () => {
  // Without the rules that need types, which take half a minute.
  const untyped = [
    tseslint.configs.disableTypeChecked,
    { languageOptions: { parserOptions: { projectService: false } } },
  ];
  const eslint = new ESLint({ cwd: projectRoot, overrideConfig: untyped as Linter.Config[] });
  for (const { file, line, isFound } of constructions) {
    const [result] = await eslint.lintText(`${line}\n`, { filePath: path.join(projectRoot, file) });
    const rules = result?.messages.map(({ ruleId }) => ruleId) ?? [];
    assert.equal(rules.includes('no-restricted-syntax'), isFound, `${file}: ${rules.join(' ')}`);
  }
});

test('files_stay_small', () => {
  const lengths = listSources().map(countLines);
  lengths.sort((a, b) => a - b);
  assert.ok(lengths.length > 80);
  assert.ok((lengths.at(-1) ?? Infinity) <= 300);
  assert.ok((lengths[Math.floor(lengths.length / 2)] ?? Infinity) < 90);
});

test('a_test_that_starts_the_service_or_a_primary_is_named_slow_or_stands_in_a_suite_of_such_tests', () => {
  const folder = path.join(projectRoot, 'test');
  const units = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') && !file.endsWith('.slow.test.ts'))
    .filter((file) => !/^(chaos|clients|hostile|integration)\//.test(file));
  assert.ok(units.length > 80);
  const starts = /from '\.\.\/fixtures\/(service|poisoned-service|primary-harness|pm2)\.ts'/;
  assert.deepEqual(
    units.filter((file) => starts.test(readFileSync(path.join(folder, file), 'utf8'))),
    [],
  );
});

test('files_of_c_plus_plus_have_the_line_limit_of_typescript', () => {
  const files = ['src', 'fuzz'].flatMap((folder) => listFiles(folder, /\.(cc|h)$/));
  assert.ok(files.length >= 4);
  assert.deepEqual(
    files.filter((file) => countLines(file) > 300),
    [],
  );
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
