import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { generatedDocuments, renderDocument, replaceBelow } from '../../docs/generate/documents.ts';
import { projectRoot } from '../../src/cli/project.ts';

for (const document of generatedDocuments) {
  test(`${document.file}_is_what_npm_run_docs_writes`, async () => {
    const written = readFileSync(path.join(projectRoot, document.file), 'utf8');
    assert.equal(written, await renderDocument(document), 'run npm run docs');
  });
}

test('only_what_is_below_the_line_is_replaced', () => {
  assert.equal(replaceBelow('# A\n\n## Options\n\nold\n', '## Options', 'new\n'), '# A\n\n## Options\n\nnew\n');
});

test('a_document_without_the_line_or_with_two_of_them_is_refused', () => {
  assert.throws(() => replaceBelow('# A\n', '## Options', ''), /must have the line "## Options" once/);
  assert.throws(() => replaceBelow('## Options\n\n## Options\n', '## Options', ''), /once/);
});
