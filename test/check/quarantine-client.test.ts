import assert from 'node:assert/strict';
import test from 'node:test';
import { QuarantineClient, toImageHash } from '../../src/check/quarantine-client.ts';
import { ServiceError } from '../../src/errors.ts';

function createClient(): { client: QuarantineClient; noted: string[][]; struck: string[]; cleared: string[] } {
  const noted: string[][] = [];
  const cleared: string[] = [];
  const struck: string[] = [];
  const enter = (suspects: readonly string[]) => {
    noted.push([...suspects]);
    return () => undefined;
  };
  const client = new QuarantineClient({
    journal: { enter },
    onStrike: (suspects) => struck.push(...suspects),
    onCleared: (suspect) => cleared.push(suspect),
  });
  return { client, noted, struck, cleared };
}

function isQuarantined(thrown: unknown): boolean {
  return thrown instanceof ServiceError && thrown.code === 'ERR_IMAGE_QUARANTINED';
}

test('only_what_is_quarantined_is_refused', () => {
  const { client } = createClient();
  client.assertNotQuarantined(['a:decode', 'a:quality@1']);
  client.update({ suspected: ['a:decode'], quarantined: ['b:quality@1'] });
  client.assertNotQuarantined(['a:decode', 'a:quality@1']);
  client.assertNotQuarantined(['b:decode', 'b:other@1']);
  assert.throws(() => {
    client.assertNotQuarantined(['b:decode', 'b:quality@1']);
  }, isQuarantined);
  client.update({ suspected: [], quarantined: [] });
  client.assertNotQuarantined(['b:decode', 'b:quality@1']);
});

test('what_went_well_before_is_no_suspect', () => {
  const { client, noted } = createClient();
  client.recordSuccess('a:quality@1');
  client.noteInFlight(['a:quality@1', 'b:quality@1']);
  assert.deepEqual(noted, [['b:quality@1']]);
  assert.deepEqual(client.excludeProven(['a:quality@1', 'a:other@1']), ['a:other@1']);
});

test('what_took_too_long_is_told_unless_it_went_well_before', () => {
  const { client, struck } = createClient();
  client.recordSuccess('a:decode');
  client.recordStrike('a:decode');
  client.recordStrike('b:decode');
  assert.deepEqual(struck, ['b:decode']);
});

test('a_suspect_that_goes_through_is_told_once', () => {
  const { client, cleared } = createClient();
  client.update({ suspected: ['a:decode'], quarantined: [] });
  client.recordSuccess('b:decode');
  client.recordSuccess('a:decode');
  client.recordSuccess('a:decode');
  assert.deepEqual(cleared, ['a:decode']);
});

test('what_went_well_is_forgotten_when_much_else_did_since', () => {
  const { client } = createClient();
  client.recordSuccess('old');
  client.recordSuccess('seen again');
  for (let index = 0; index < 4094; index += 1) client.recordSuccess(String(index));
  client.recordSuccess('seen again');
  client.recordSuccess('new');
  assert.deepEqual(client.excludeProven(['old', 'seen again', 'new']), ['old']);
});

test('the_hash_of_an_upload_is_its_sha_256', () => {
  const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  assert.equal(toImageHash(Buffer.from('abc')), expected);
});
