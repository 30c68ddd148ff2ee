import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { projectRoot } from '../../src/cli/project.ts';
import { listDocuments } from './markdown.ts';

const { name, version } = JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')) as {
  name: string;
  version: string;
};

test('the_changelog_has_a_dated_section_for_the_version_below_what_is_unreleased', () => {
  const changelog = readFileSync(path.join(projectRoot, 'CHANGELOG.md'), 'utf8');
  const sections = [...changelog.matchAll(/^## (.+)$/gm)].map(([, section = '']) => section);
  assert.equal(sections[0], 'Unreleased');
  assert.match(sections[1] ?? '', /^\d+\.\d+\.\d+ - \d{4}-\d{2}-\d{2}$/);
  assert.ok(sections[1]?.startsWith(`${version} - `));
});

test('documents_name_the_package_file_of_this_version', () => {
  const found = listDocuments(projectRoot).flatMap((document) =>
    [...readFileSync(path.join(projectRoot, document), 'utf8').matchAll(/image-check-server-\d[\w.-]*\.tgz/g)].flat(),
  );
  assert.ok(found.length > 0);
  assert.deepEqual([...new Set(found)], [`${name}-${version}.tgz`]);
});
