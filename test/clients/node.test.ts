import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
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
const blobNames = ['blob', 'blob'];
const unknownModel = 'ERR_MODEL_UNKNOWN';

const standardForms: ExpectedAnswers = {
  'unnamed blobs': blobNames,
  'blobs of files': blobNames,
  'named blobs': plainNames,
  files: plainNames,
  'odd names': oddPair,
  'name with spaces': spacedPair,
  'empty name': noNames,
  model: unknownModel,
};

const packageForms: ExpectedAnswers = {
  buffers: noNames,
  'buffers with a type': noNames,
  'named buffers': plainNames,
  'odd names': oddPair,
  'name with spaces': spacedPair,
  'paths as names': plainNames,
  'a stream and a buffer': ['one.jpg', 'upload'],
  'file streams': plainNames,
  'file streams with odd names': oddPair,
  model: unknownModel,
};

const superagentForms: ExpectedAnswers = {
  buffers: noNames,
  'buffers with a type': noNames,
  'named buffers': plainNames,
  'odd names': oddPair,
  'name with spaces': spacedPair,
  paths: plainNames,
  'file streams': plainNames,
  model: unknownModel,
};

function prefix(start: string, ways: ExpectedAnswers): ExpectedAnswers {
  return Object.fromEntries(Object.entries(ways).map(([way, names]) => [start + way, names]));
}

const libraries: Readonly<Record<string, ExpectedAnswers>> = {
  axios: {
    ...prefix('axios: form-data, ', packageForms),
    ...prefix('axios: FormData, ', standardForms),
    'axios: object with a list': noNames,
    'axios: object with a list, by default named image[]': 'ERR_UPLOAD_FIELD',
  },
  got: { ...prefix('got: form-data, ', packageForms), ...prefix('got: FormData, ', standardForms) },
  superagent: prefix('superagent: ', superagentForms),
};

/** Whether a package is in the folder that IMAGE_CHECK_TEST_NODE_LIBRARIES names; if not, the test is skipped. */
function hasLibrary(context: TestContext, library: string): boolean {
  const folder = process.env['IMAGE_CHECK_TEST_NODE_LIBRARIES'];
  if (folder !== undefined && existsSync(path.join(folder, 'node_modules', library))) return true;
  const reason = `${library} is not installed where IMAGE_CHECK_TEST_NODE_LIBRARIES says`;
  assert.notEqual(process.env['IMAGE_CHECK_REQUIRE'], 'all', `${reason}, and IMAGE_CHECK_REQUIRE=all`);
  context.skip(reason);
  return false;
}

test('clients_of_Node', async (context) => {
  const target = await startClientTarget(context);
  const program = [process.execPath, toProgramPath('node-clients.mjs')] as const;
  await context.test('fetch', (inner) =>
    assertProgram(inner, target, [...program, 'fetch'], prefix('fetch: ', standardForms)),
  );
  for (const [library, expected] of Object.entries(libraries)) {
    await context.test(library, async (inner) => {
      if (hasLibrary(inner, library)) await assertProgram(inner, target, [...program, library], expected);
    });
  }
});
