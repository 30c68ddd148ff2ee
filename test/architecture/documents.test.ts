import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { projectRoot } from '../../src/cli/project.ts';

/** Commands that fetch the package `image-check`, which is somebody else's, where ours is not installed. */
const unsafe = [
  /\b(npx|npm exec|npm x|pnpm dlx|bunx|yarn dlx)(?! --no )(?=( +-\S+)* +image-check(?![\w-]))/,
  /\b(npm|pnpm|yarn|bun) (install|i|add|view)( +-\S+)* +image-check(?![\w-])/,
];

function findUnsafe(text: string): string[] {
  return text.split('\n').filter((line) => unsafe.some((pattern) => pattern.test(line)));
}

/** What people read or are shown: documents, and sources with their messages. */
function listTexts(): string[] {
  const folders = ['src', 'docs', 'bench', 'fuzz', 'config', 'models', 'pack'];
  const inFolders = folders.flatMap((folder) =>
    readdirSync(path.join(projectRoot, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
      path.join(folder, name),
    ),
  );
  const atRoot = readdirSync(projectRoot);
  return [...atRoot, ...inFolders].filter(
    (name) => /\.(md|ts|mjs|js|ya?ml)$/.test(name) && !/(node_modules|\.installed|\.venv)/.test(name),
  );
}

test('no_document_or_message_makes_a_reader_fetch_the_package_of_somebody_else', () => {
  const files = listTexts();
  assert.ok(files.includes('README.md') && files.length > 200);
  const found = files.flatMap((file) =>
    findUnsafe(readFileSync(path.join(projectRoot, file), 'utf8')).map((line) => `${file}: ${line}`),
  );
  assert.deepEqual(found, []);
});

test('unsafe_commands_are_told_from_safe_ones', () => {
  const bad = [
    'npx image-check serve',
    'run `npx -y image-check`',
    'npm exec image-check',
    'npm install image-check',
    'npm i -g image-check@1',
    'pnpm dlx image-check check',
  ];
  const good = [
    'npx --no image-check serve',
    'npm install image-check-server',
    'npm install ./image-check-server-0.1.0.tgz',
    'npx pm2 sendSignal SIGHUP image-check',
    'node src/launcher.mjs serve',
  ];
  assert.deepEqual(
    [...bad, ...good].filter((line) => findUnsafe(line).length > 0),
    bad,
  );
});
