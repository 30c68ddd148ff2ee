import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { findOutsidePart } from '../fixtures/outside-part.ts';
import {
  assertProgram,
  type ExpectedAnswers,
  noNames,
  oddNames,
  plainNames,
  startClientTarget,
  toProgramPath,
} from './client-program.ts';

const oddPair = [oddNames.utf8, oddNames.quoted];
const spacedPair = [oddNames.spaces, 'two.jpg'];
const unknownModel = 'ERR_MODEL_UNKNOWN';

const byHand: ExpectedAnswers = {
  named: plainNames,
  'odd names': [oddNames.utf8, 'two.jpg'],
  unnamed: noNames,
  'empty names': noNames,
};

const expected: ExpectedAnswers = {
  'curl: CURLFile, model': unknownModel,
  'curl: CURLFile': ['two.jpg'],
  'curl: CURLFile with a UTF-8 name': [oddNames.utf8],
  'curl: CURLFile with a quoted name': [oddNames.quoted],
  'curl: CURLStringFile': ['two.jpg'],
  'curl: CURLStringFile with a UTF-8 name': [oddNames.utf8],
  'curl: CURLStringFile with an empty name': ['upload'],
  'curl: string': ['upload'],
  'curl: list of strings': noNames,
  'curl: CURLFiles named image[0] and image[1]': 'ERR_UPLOAD_FIELD',
  ...Object.fromEntries(
    Object.entries(byHand).flatMap(([way, names]) => [
      [`curl: body by hand, ${way}`, names],
      [`stream context: ${way}`, names],
    ]),
  ),
  'guzzle: opened files': plainNames,
  'guzzle: opened files with odd names': oddPair,
  'guzzle: strings': noNames,
  'guzzle: named strings': plainNames,
  'guzzle: odd names': oddPair,
  'guzzle: name with spaces': spacedPair,
  'guzzle: model': unknownModel,
  'symfony: files': plainNames,
  'symfony: files with odd names': oddPair,
  'symfony: strings': noNames,
  'symfony: model': unknownModel,
};

test('curl_stream_contexts_Guzzle_and_Symfony_of_PHP', async (context) => {
  const php = findOutsidePart(context, 'php');
  if (php === undefined) return;
  const question = `exit((int) !(extension_loaded('curl') && stream_resolve_include_path('GuzzleHttp/autoload.php')
    && stream_resolve_include_path('Symfony/Component/HttpClient/autoload.php')
    && stream_resolve_include_path('Symfony/Component/Mime/autoload.php')));`;
  if (spawnSync(php, ['-r', question]).status !== 0) {
    const reason = `${php} lacks curl, Guzzle, or HttpClient and Mime of Symfony`;
    assert.notEqual(process.env['IMAGE_CHECK_REQUIRE'], 'all', `${reason}, and IMAGE_CHECK_REQUIRE=all`);
    context.skip(reason);
    return;
  }
  await assertProgram(context, await startClientTarget(context), [php, toProgramPath('php-client.php')], expected);
});
