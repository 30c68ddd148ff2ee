import { execFile } from 'node:child_process';
import test from 'node:test';
import { promisify } from 'node:util';
import { findOutsidePart } from '../fixtures/outside-part.ts';
import {
  assertAnswer,
  type ExpectedAnswers,
  noNames,
  oddNames,
  plainNames,
  startClientTarget,
} from './client-program.ts';

const run = promisify(execFile);

const { quoted, spaces, utf8 } = oddNames;

/** Arguments by way of sending; what follows -F is a part. */
const forms: Readonly<Record<string, readonly string[]>> = {
  files: ['-F', 'image=@one.jpg', '-F', 'image=@two.jpg'],
  'odd names': ['-F', `image=@${utf8}`, '-F', String.raw`image=@"${quoted.replaceAll('"', '\\"')}"`],
  'odd names, escaped by backslashes': [
    '--form-escape',
    '-F',
    `image=@${utf8}`,
    '-F',
    `image=@two.jpg;filename=${quoted}`,
  ],
  'name with spaces': ['-F', `image=@${spaces}`, '-F', 'image=@two.jpg'],
  'contents of files': ['-F', 'image=<one.jpg', '-F', 'image=<two.jpg'],
  'contents with a type': ['-F', 'image=<one.jpg;type=image/jpeg', '-F', 'image=<two.jpg;type=image/jpeg'],
  'empty names': ['-F', 'image=@one.jpg;filename=', '-F', 'image=@two.jpg;filename='],
  'headers of their own': ['-F', 'image=@one.jpg;headers="X-A: b"', '-F', 'image=@two.jpg;headers="Content-ID: <a>"'],
  'binary transfer encoding': ['-F', 'image=@one.jpg;encoder=binary', '-F', 'image=@two.jpg;encoder=8bit'],
  'base64 transfer encoding': ['-F', 'image=@one.jpg;encoder=base64', '-F', 'image=@two.jpg;encoder=base64'],
  'nested multipart/mixed': ['-F', 'image=@one.jpg,two.jpg'],
  chunked: ['-H', 'Transfer-Encoding: chunked', '-F', 'image=@one.jpg', '-F', 'image=@two.jpg'],
  model: ['-F', 'image=@one.jpg', '-F', 'model=no-such-model', '-F', 'image=@two.jpg'],
  'model with a charset': ['-F', 'model=no-such-model;type=text/plain; charset=utf-8', '-F', 'image=@one.jpg'],
};

const expected: ExpectedAnswers = {
  files: plainNames,
  'odd names': [utf8, quoted],
  'odd names, escaped by backslashes': [utf8, quoted],
  'name with spaces': [spaces, 'two.jpg'],
  'contents of files': noNames,
  'contents with a type': noNames,
  'empty names': noNames,
  'headers of their own': plainNames,
  'binary transfer encoding': plainNames,
  'base64 transfer encoding': 'ERR_',
  'nested multipart/mixed': 'ERR_',
  chunked: plainNames,
  model: 'ERR_MODEL_UNKNOWN',
  'model with a charset': 'ERR_MODEL_UNKNOWN',
};

test('curl', async (context) => {
  const curl = findOutsidePart(context, 'curl');
  if (curl === undefined) return;
  const { url, pictureDir, sizes } = await startClientTarget(context);
  for (const [way, args] of Object.entries(forms)) {
    await context.test(way, async () => {
      const options = { cwd: pictureDir, maxBuffer: 1 << 20 };
      const { stdout } = await run(curl, ['-sS', '-w', '\n%{http_code}', ...args, `${url}/v1/check`], options);
      const at = stdout.lastIndexOf('\n');
      const answer = { status: Number(stdout.slice(at + 1)), body: stdout.slice(0, at) };
      assertAnswer(answer, expected[way] ?? [], sizes);
    });
  }
});
