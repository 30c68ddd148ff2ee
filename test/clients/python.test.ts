import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
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

/** What requests and httpx send alike, but for the name that they make up. */
function listFormWays(library: string, madeUpName: string): ExpectedAnswers {
  const ways: ExpectedAnswers = {
    'open files': plainNames,
    bytes: [madeUpName, madeUpName],
    BytesIO: [madeUpName, madeUpName],
    'named bytes': plainNames,
    'odd names': oddPair,
    'name with spaces': spacedPair,
    'name None': noNames,
    'name None with a type': noNames,
    'a name and none': ['one.jpg', 'upload'],
    'empty name': noNames,
    model: unknownModel,
    'model as a file without a name': unknownModel,
  };
  return Object.fromEntries(Object.entries(ways).map(([way, names]) => [`${library}: ${way}`, names]));
}

const expected: ExpectedAnswers = {
  ...listFormWays('requests', 'image'),
  'requests: streamed by requests-toolbelt': plainNames,
  'requests: odd names by requests-toolbelt': oddPair,
  'requests: odd names as urllib3 1': oddPair,
  ...listFormWays('httpx', 'upload'),
  'aiohttp: open files': plainNames,
  'aiohttp: bytes': ['image', 'image'],
  'aiohttp: BytesIO': ['image', 'image'],
  'aiohttp: named generators': plainNames,
  'aiohttp: bytes with a type': ['image', 'image'],
  'aiohttp: model': unknownModel,
  'aiohttp: named bytes': plainNames,
  // aiohttp percent-encodes names, which a server can't tell from names that hold a percent sign.
  'aiohttp: odd names': [encodeURIComponent(oddNames.utf8), 'a%20"quoted"%20name.jpg'],
  'aiohttp: name with spaces': ['with%20some%20spaces.jpg', 'two.jpg'],
  'aiohttp: empty name': noNames,
  'aiohttp: UTF-8 name, fields not quoted': [oddNames.utf8, 'two.jpg'],
};

test('requests_httpx_and_aiohttp', async (context) => {
  const python = process.env['IMAGE_CHECK_TEST_CLIENTS_PYTHON'] ?? 'python3';
  const question = spawnSync(python, ['-c', 'import aiohttp, httpx, requests, requests_toolbelt']);
  if (question.status !== 0) {
    const reason = `${python} lacks the libraries of test/clients/requirements.txt (IMAGE_CHECK_TEST_CLIENTS_PYTHON names one)`;
    assert.notEqual(process.env['IMAGE_CHECK_REQUIRE'], 'all', `${reason}, and IMAGE_CHECK_REQUIRE=all`);
    context.skip(reason);
    return;
  }
  const target = await startClientTarget(context);
  await assertProgram(context, target, [python, toProgramPath('python-clients.py')], expected);
});
