import assert from 'node:assert/strict';
import test from 'node:test';
import { isReferredTo, toModelReference } from '../../src/ipc/model-reference.ts';

const highest = { name: 'quality', version: '2', isDefault: true };
const lower = { name: 'quality', version: '1', isDefault: false };

test('the_version_that_serves_has_the_bare_name_and_any_other_its_version', () => {
  assert.deepEqual([highest, lower].map(toModelReference), ['quality', 'quality@1']);
});

test('a_version_is_found_by_its_number_whether_it_serves_by_the_name_or_not', () => {
  assert.ok(isReferredTo(highest, 'quality') && isReferredTo(highest, 'quality@2'));
  assert.ok(isReferredTo(lower, 'quality@1'));
});

test('other_names_and_versions_are_not_confused_with_it', () => {
  for (const reference of ['quality', 'quality@2', 'quality@', 'quality@11', 'qualit@1', '', '@1', 'QUALITY@1']) {
    assert.equal(isReferredTo(lower, reference), false, reference);
  }
  for (const reference of ['quality@1', 'quality@', 'quality@2@1', 'nsfw']) {
    assert.equal(isReferredTo(highest, reference), false, reference);
  }
});
