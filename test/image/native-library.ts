import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { toMessage } from '../../src/errors.ts';
import { loadNativeJpeg } from '../../src/image/native-jpeg.ts';

/**
 * Loads the native JPEG decoder, which decodes JPEGs from now on.
 * @returns whether it is available; otherwise the test is marked as skipped and has to return
 * @throws if it is missing and IMAGE_CHECK_REQUIRE is `all`
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
