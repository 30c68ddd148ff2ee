import assert from 'node:assert/strict';
import path from 'node:path';
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
/** How a client that knows no UTF-8 writes it. */
const lossyPair = ['???? ??.jpg', oddNames.quoted];
const unknownModel = 'ERR_MODEL_UNKNOWN';

const httpClient: ExpectedAnswers = {
  named: plainNames,
  'UTF-8 name': [oddNames.utf8, 'two.jpg'],
  'name with spaces': spacedPair,
  'named, without a type': plainNames,
  unnamed: noNames,
  'unnamed, without a type': noNames,
  'unnamed binary': noNames,
  'with a transfer encoding': plainNames,
  streamed: plainNames,
  model: unknownModel,
  'model with a charset': unknownModel,
};

const libraries: ExpectedAnswers = {
  'Apache 4: files': plainNames,
  'Apache 4: bytes': noNames,
  'Apache 4: streams': noNames,
  'Apache 4: named bytes': plainNames,
  'Apache 4: name with spaces': spacedPair,
  'Apache 4: odd names': lossyPair,
  'Apache 4: odd names, browser compatible': oddPair,
  'Apache 4: odd names, RFC 6532': oddPair,
  'Apache 4: bytes, browser compatible': noNames,
  'Apache 4: model': unknownModel,
  'Apache 5: files': plainNames,
  'Apache 5: bytes': noNames,
  'Apache 5: streams': noNames,
  'Apache 5: named bytes': plainNames,
  'Apache 5: name with spaces': spacedPair,
  'Apache 5: odd names': oddPair,
  'Apache 5: odd names, extended': [oddNames.utf8, 'a%20"quoted"%20name.jpg'],
  'Apache 5: odd names, legacy': oddPair,
  'Apache 5: model': unknownModel,
  'OkHttp: files': plainNames,
  'OkHttp: named bytes': plainNames,
  'OkHttp: named bytes without a type': plainNames,
  'OkHttp: name with spaces': spacedPair,
  'OkHttp: odd names': oddPair,
  'OkHttp: bytes': noNames,
  'OkHttp: bytes with a type': noNames,
  'OkHttp: model': unknownModel,
  'OkHttp: model with a type': unknownModel,
  'Spring: ByteArrayResource': noNames,
  'Spring: FileSystemResource': plainNames,
  'Spring: FileSystemResource with odd names': oddPair,
  'Spring: InputStreamResource': noNames,
  'Spring: named ByteArrayResource': plainNames,
  'Spring: name with spaces': spacedPair,
  'Spring: model': unknownModel,
};

// File names are UTF-8 for a JVM only where its locale says so.
process.env['LC_ALL'] = 'C.UTF-8';

test('java.net.http.HttpClient', async (context) => {
  // A runtime without the compiler can't run a source file.
  if (findOutsidePart(context, 'javac') === undefined) return;
  const target = await startClientTarget(context);
  await assertProgram(context, target, ['java', toProgramPath('java-http-client.java')], httpClient);
});

test('apache_HttpClient_4_and_5_OkHttp_and_RestTemplate', async (context) => {
  if (findOutsidePart(context, 'javac') === undefined) return;
  const jars = process.env['IMAGE_CHECK_TEST_JARS'];
  if (jars === undefined) {
    const reason = 'IMAGE_CHECK_TEST_JARS names no folder with the jars of test/clients/pom.xml';
    assert.notEqual(process.env['IMAGE_CHECK_REQUIRE'], 'all', `${reason}, and IMAGE_CHECK_REQUIRE=all`);
    context.skip(reason);
    return;
  }
  const program = ['java', '-cp', path.join(jars, '*'), toProgramPath('java-libraries.java')] as const;
  await assertProgram(context, await startClientTarget(context), program, libraries);
});
