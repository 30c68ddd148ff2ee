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
const ways: ExpectedAnswers = {
  CreateFormFile: plainNames,
  'CreateFormFile, odd names': oddPair,
  'CreateFormFile, name with spaces': [oddNames.spaces, 'two.jpg'],
  CreateFormField: noNames,
  'CreatePart with a type': plainNames,
  'CreatePart, odd names': oddPair,
  'CreatePart without a type': plainNames,
  'CreatePart with a type and no name': noNames,
  'CreatePart with a transfer encoding': noNames,
  FormatMediaType: plainNames,
  'FormatMediaType, odd names': oddPair,
  model: 'ERR_MODEL_UNKNOWN',
};
const expected = Object.fromEntries(
  Object.entries(ways).flatMap(([way, names]) => [
    [way, names],
    [`${way}, streamed`, names],
  ]),
);

test('net_http_and_mime_multipart_of_Go', async (context) => {
  const go = findOutsidePart(context, 'go');
  if (go === undefined) return;
  await assertProgram(context, await startClientTarget(context), [go, 'run', toProgramPath('go-client.go')], expected);
});
