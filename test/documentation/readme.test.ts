import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { projectRoot } from '../../src/cli/project.ts';
import { type Markdown, toMarkdown } from './markdown.ts';

function read(name: string): string {
  return readFileSync(path.join(projectRoot, name), 'utf8');
}

/** What a translation must have in common with its original: code blocks, inline commands, links. */
function findDifferences(original: Markdown, translation: Markdown): string[] {
  const toLines = ({ blocks, spans, links }: Markdown): string[] => [
    ...blocks.map(({ language, text }) => `${language}: ${text}`),
    ...spans,
    ...links.filter((link) => !/^README(\.zh-CN)?\.md$/.test(link)),
  ];
  const [one, other] = [toLines(original), toLines(translation)];
  return [...one.filter((line) => !other.includes(line)), ...other.filter((line) => !one.includes(line))];
}

test('the_readme_is_short', () => {
  assert.ok(read('README.md').split('\n').length - 1 <= 200);
});

test('the_chinese_readme_has_the_code_blocks_and_links_of_the_english_one', () => {
  const [english, chinese] = [toMarkdown(read('README.md')), toMarkdown(read('README.zh-CN.md'))];
  assert.ok(english.blocks.length > 8);
  assert.deepEqual(chinese.blocks, english.blocks);
  assert.deepEqual(findDifferences(english, chinese), []);
  assert.ok(english.links.includes('README.zh-CN.md') && chinese.links.includes('README.md'));
});

test('a_translation_that_lacks_a_command_or_has_another_one_is_found', () => {
  const english = toMarkdown('```sh\nnpm ci\n```\n`npm test` [api](docs/api.md) [zh](README.zh-CN.md)');
  assert.deepEqual(findDifferences(english, toMarkdown('```sh\nnpm i\n```\n`npm test` [接口](docs/api.md)')), [
    'sh: npm ci\n',
    'sh: npm i\n',
  ]);
  assert.deepEqual(findDifferences(english, toMarkdown('```sh\nnpm ci\n```\n')), ['npm test', 'docs/api.md']);
});
