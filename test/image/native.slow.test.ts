// Runs the tests of damaged and hostile pictures with the native JPEG decoder.
import { test } from 'node:test';
import { hasNativeJpeg } from './native-library.ts';

test('tensorFlow_s_JPEG_decoder_is_there', (context) => {
  hasNativeJpeg(context);
});

await import('./damage.slow.test.ts');
await import('./hostile.slow.test.ts');
