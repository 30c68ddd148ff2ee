import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { generatedDocuments, renderDocument, replaceBelow } from '../../docs/generate/documents.ts';
import { projectRoot } from '../../src/cli/project.ts';

for (const document of generatedDocuments) {
  test(`${document.file} is what npm run docs writes`, async () => {
    const written = readFileSync(path.join(projectRoot, document.file), 'utf8');
    assert.equal(written, await renderDocument(document), 'run npm run docs');
  });
}

test('only what is below the line is replaced', () => {
  assert.equal(replaceBelow('# A\n\n## Options\n\nold\n', '## Options', 'new\n'), '# A\n\n## Options\n\nnew\n');
});

test('a document without the line, or with two of them, is refused', () => {
  assert.throws(() => replaceBelow('# A\n', '## Options', ''), /must have the line "## Options" once/);
  assert.throws(() => replaceBelow('## Options\n\n## Options\n', '## Options', ''), /once/);
});
