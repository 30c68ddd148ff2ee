import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { projectRoot } from '../../src/cli/project.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { listDocuments, loadMarkdown } from './markdown.ts';

/** Links of a document to files and headings that are not there. */
function findBrokenLinks(root: string, name: string): string[] {
  const { links } = loadMarkdown(path.join(root, name));
  const internal = links.filter((link) => !/^[a-z][a-z0-9+.-]*:/i.test(link));
  return internal.filter((link) => !leadsSomewhere(root, name, link)).map((link) => `${name}: ${link}`);
}

function leadsSomewhere(root: string, name: string, link: string): boolean {
  const [target = '', anchor] = link.split('#', 2).map(decodeURIComponent);
  const file = target === '' ? name : path.join(path.dirname(name), target);
  if (file.startsWith('..') || path.isAbsolute(target) || !existsSync(path.join(root, file))) return false;
  return anchor === undefined || (file.endsWith('.md') && loadMarkdown(path.join(root, file)).anchors.has(anchor));
}

/** Paths of the checkout in inline code that are not there. */
function findMissingPaths(root: string, name: string): string[] {
  const { spans } = loadMarkdown(path.join(root, name));
  const paths = spans.filter((span) => /^(src|test|docs|config|bench|fuzz|pack|models|\.ci)\/[\w./-]+$/.test(span));
  return paths.filter((span) => !existsSync(path.join(root, span))).map((span) => `${name}: ${span}`);
}

test('every_link_inside_of_the_repository_leads_to_a_file_and_a_heading_that_are_there', () => {
  const documents = listDocuments(projectRoot);
  for (const name of ['README.md', 'docs/api.md', 'src/README.md']) assert.ok(documents.includes(name), name);
  assert.ok(documents.flatMap((name) => loadMarkdown(path.join(projectRoot, name)).links).length > 50);
  assert.deepEqual(
    documents.flatMap((name) => findBrokenLinks(projectRoot, name)),
    [],
  );
});

test('every_file_that_a_document_names_is_there', () => {
  // The changelog names files of older versions.
  const documents = listDocuments(projectRoot).filter((name) => name !== 'CHANGELOG.md');
  assert.deepEqual(
    documents.flatMap((name) => findMissingPaths(projectRoot, name)),
    [],
  );
});

test('broken_links_of_every_kind_are_found_good_ones_are_not', (context) => {
  const root = makeTempDir(context);
  const readme = `# Start

[good](docs/api.md#errors-errors) [twice](docs/api.md#twice-1 "title") [own](#start) ![picture](docs/a.svg)
[outside](https://example.com/nowhere) \`[code](nowhere.md)\` [chinese](docs/api.md#快速-开始)
[file](docs/none.md) [heading](docs/api.md#error) [own](#stop) [above](../other.md) [absolute](/docs/api.md)
[anchor of no document](docs/a.svg#a) [third](docs/api.md#twice-2) [by reference][1] \`src/none.ts\` \`docs/a.svg\`

\`\`\`
[in a block](nowhere.md)
# Not a heading
\`\`\`

[1]: none.md
[block](#not-a-heading)
`;
  const api = '# API\n\n## Errors: `errors`\n\n## Twice\n\n## Twice\n\n## 快速 开始\n';
  const files = { 'README.md': readme, 'docs/api.md': api, 'docs/a.svg': '<svg/>', '.hidden/a.md': '[x](y)' };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  }
  assert.deepEqual(listDocuments(root).sort(), ['README.md', 'docs/api.md']);
  assert.deepEqual(
    findBrokenLinks(root, 'README.md').map((line) => line.replace('README.md: ', '')),
    [
      'docs/none.md',
      'docs/api.md#error',
      '#stop',
      '../other.md',
      '/docs/api.md',
      'docs/a.svg#a',
      'docs/api.md#twice-2',
      '#not-a-heading',
      'none.md',
    ],
  );
  assert.deepEqual(findMissingPaths(root, 'README.md'), ['README.md: src/none.ts']);
});
