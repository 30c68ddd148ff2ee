// What is promised of damaged and hostile pictures holds where TensorFlow's library decodes, too.
import { test } from 'node:test';
import { hasNativeJpeg } from './native-library.ts';

test("TensorFlow's JPEG decoder is there", (context) => {
  hasNativeJpeg(context);
});

await import('./damage.test.ts');
await import('./hostile.test.ts');
