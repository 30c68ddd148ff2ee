import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { toMessage } from '../../src/errors.ts';
import { loadNativeJpeg } from '../../src/image/native-jpeg.ts';

/**
 * Has JPEGs decoded by TensorFlow's library from now on.
 * @returns whether it is there; the test is marked as skipped otherwise and has to return
 * @throws where it is missing and IMAGE_CHECK_REQUIRE is `all`
 */
export function hasNativeJpeg(context: Pick<TestContext, 'skip'>): boolean {
  try {
    loadNativeJpeg();
    return true;
  } catch (thrown) {
    const reason = `TensorFlow's JPEG decoder is not there: ${toMessage(thrown)}`;
    assert.notEqual(process.env['IMAGE_CHECK_REQUIRE'], 'all', reason);
    context.skip(reason);
    return false;
  }
}
