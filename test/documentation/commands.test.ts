import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { projectRoot } from '../../src/cli/project.ts';
import { findFault, listFlags, listSubcommands } from './command-check.ts';
import { listDocuments, listRows, loadMarkdown, toMarkdown } from './markdown.ts';
import { listCommands } from './shell-commands.ts';

/** What is wrong with the commands of a document. */
async function findFaults(text: string): Promise<string[]> {
  const faults: string[] = [];
  for (const command of listCommands(toMarkdown(text))) {
    const fault = await findFault(command);
    if (fault !== undefined) faults.push(`${command.words.join(' ')}: ${fault}`);
  }
  return faults;
}

for (const name of listDocuments(projectRoot)) {
  test(`every_command_of_${name}_exists_and_takes_the_arguments_that_it_is_given`, async () => {
    assert.deepEqual(await findFaults(readFileSync(path.join(projectRoot, name), 'utf8')), []);
  });
}

test('every_command_of_image-check_is_documented', async () => {
  const rows = listRows(readFileSync(path.join(projectRoot, 'docs', 'operations.md'), 'utf8'), '## Command line');
  const documented = toMarkdown(rows.map(([command = '']) => command).join('\n')).spans.map((span) =>
    (/^(models )?\w+( quality)?/.exec(span)?.[0] ?? '').trim(),
  );
  assert.deepEqual(documented.sort(), (await listSubcommands()).sort());
});

/** Flags in inline code that no command has. */
function findUnknownFlags(text: string, known: ReadonlySet<string>): string[] {
  const flags = toMarkdown(text).spans.flatMap((span) => /^--[a-z][a-z-]*/.exec(span)?.[0] ?? []);
  return flags.filter((flag) => !known.has(flag));
}

/** Flags of benchmarks and of the fuzzer, as `parseArgs` is told of them. */
function listScriptFlags(): string[] {
  const files = ['bench', 'fuzz'].flatMap((folder) =>
    readdirSync(path.join(projectRoot, folder))
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(path.join(projectRoot, folder, name), 'utf8')),
  );
  return [...files.join('\n').matchAll(/'?([a-z-]+)'?: \{ type: '(?:string|boolean)'/g)].map(
    ([, name = '']) => `--${name}`,
  );
}

test('every_flag_that_a_document_names_exists', async () => {
  const known = new Set([...(await listFlags()), ...listScriptFlags(), '--no']);
  for (const flag of ['--labels-file', '--quick', '--seeds']) assert.ok(known.has(flag), flag);
  assert.deepEqual(findUnknownFlags('`--labels-fiel FILE`, `--server URL`, `a --b`', known), ['--labels-fiel']);
  assert.deepEqual(
    listDocuments(projectRoot).flatMap((name) =>
      findUnknownFlags(readFileSync(path.join(projectRoot, name), 'utf8'), known),
    ),
    [],
  );
});

test('every_script_of_package.json_that_people_call_is_documented', () => {
  const { scripts } = JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const documents = listDocuments(projectRoot).map((name) => loadMarkdown(path.join(projectRoot, name)));
  const code = documents.flatMap(({ spans, blocks }) => [...spans, ...blocks.map(({ text }) => text)]).join('\n');
  const own = ['prepack', 'build'];
  assert.deepEqual(
    Object.keys(scripts).filter(
      (name) => !own.includes(name) && !new RegExp(`npm (run )?(--silent )?${name}(?![\\w:])`).test(code),
    ),
    [],
  );
});

const right = [
  'npm ci && npm start',
  'npm run --silent sbom > sbom.json',
  'node src/launcher.mjs models add PATH --name NAME --labels ok,blurry --scale 1/127.5 --offset=-1',
  'XDG_CACHE_HOME=/var/cache node src/launcher.mjs setup',
  'npx --no image-check serve --set upload.maxBytes=1 --set check.models=quality',
  'image-check evaluate --model DIR --photos DIR [--real DIR]',
  'npx pm2 start ecosystem.config.js',
  'node --import ./test/typescript.mjs --test test/check/verdict.test.ts',
  'cat photo.jpg | node src/launcher.mjs check -',
  'image-check --version',
  'curl --nonsense',
];
const wrong: readonly (readonly [command: string, fault: RegExp])[] = [
  ['npm run nonsense', /no such script/],
  ['npm ci && npm run nonsense -- --quick', /no such script/],
  ['node src/launcher.mjs sevre', /too many arguments|unknown command/],
  ['node src/launcher.mjs serve --prot 1', /unknown option '--prot'/],
  ['npx --no image-check models ad PATH', /unknown command 'ad'/],
  ['image-check models add PATH --resize cuver', /cuver/],
  ['image-check models add PATH --width wide', /wide/],
  ['image-check models add', /missing required argument/],
  ['image-check train quality --photos DIR', /--out/],
  ['image-check check a.jpg --set upload.maxByte=1', /no such option: upload.maxByte=1/],
  ['npx nonsense', /no such dependency/],
  ['node --import ./test/nothing.mjs', /no such file/],
];

for (const command of right) {
  test(`a_right_command_passes: ${command}`, async () => {
    assert.deepEqual(await findFaults(`\`\`\`sh\n${command}\n\`\`\`\n`), []);
  });
}

for (const [command, fault] of wrong) {
  test(`a_wrong_command_is_found: ${command}`, async () => {
    const faults = await findFaults(`\`\`\`\n${command}\n\`\`\`\n`);
    assert.equal(faults.length, 1, faults.join());
    assert.match(faults[0] ?? '', fault);
  });
}

test('inline_code_may_leave_out_what_a_command_needs_and_nothing_else', async () => {
  assert.deepEqual(
    await findFaults('`models add` and `train quality`, `check --explain`, `config`, `config.yaml`'),
    [],
  );
  assert.equal(
    (await findFaults('`models ad`, `check --explian`, `image-check nonsense`, `npm run nonsense`')).length,
    4,
  );
});
