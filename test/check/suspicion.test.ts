import assert from 'node:assert/strict';
import test from 'node:test';
import { Suspicion, toImageHash } from '../../src/check/suspicion.ts';
import { ServiceError } from '../../src/errors.ts';

function createSuspicion(): { suspicion: Suspicion; noted: string[][]; accused: string[]; cleared: string[] } {
  const noted: string[][] = [];
  const cleared: string[] = [];
  const accused: string[] = [];
  const enter = (suspects: readonly string[]) => {
    noted.push([...suspects]);
    return () => undefined;
  };
  const suspicion = new Suspicion({
    journal: { enter },
    onSuspected: (suspects) => accused.push(...suspects),
    onCleared: (suspect) => cleared.push(suspect),
  });
  return { suspicion, noted, accused, cleared };
}

function isQuarantined(thrown: unknown): boolean {
  return thrown instanceof ServiceError && thrown.code === 'ERR_IMAGE_QUARANTINED';
}

test('only_what_is_quarantined_is_refused', () => {
  const { suspicion } = createSuspicion();
  suspicion.assertTrusted(['a:decode', 'a:quality@1']);
  suspicion.learn({ suspected: ['a:decode'], quarantined: ['b:quality@1'] });
  suspicion.assertTrusted(['a:decode', 'a:quality@1']);
  suspicion.assertTrusted(['b:decode', 'b:other@1']);
  assert.throws(() => {
    suspicion.assertTrusted(['b:decode', 'b:quality@1']);
  }, isQuarantined);
  suspicion.learn({ suspected: [], quarantined: [] });
  suspicion.assertTrusted(['b:decode', 'b:quality@1']);
});

test('what_went_well_before_is_no_suspect', () => {
  const { suspicion, noted } = createSuspicion();
  suspicion.noteHarmless('a:quality@1');
  suspicion.enter(['a:quality@1', 'b:quality@1']);
  assert.deepEqual(noted, [['b:quality@1']]);
  assert.deepEqual(suspicion.listSuspicious(['a:quality@1', 'a:other@1']), ['a:other@1']);
});

test('what_took_too_long_is_told_unless_it_went_well_before', () => {
  const { suspicion, accused } = createSuspicion();
  suspicion.noteHarmless('a:decode');
  suspicion.accuse('a:decode');
  suspicion.accuse('b:decode');
  assert.deepEqual(accused, ['b:decode']);
});

test('a_suspect_that_goes_through_is_told_once', () => {
  const { suspicion, cleared } = createSuspicion();
  suspicion.learn({ suspected: ['a:decode'], quarantined: [] });
  suspicion.noteHarmless('b:decode');
  suspicion.noteHarmless('a:decode');
  suspicion.noteHarmless('a:decode');
  assert.deepEqual(cleared, ['a:decode']);
});

test('what_went_well_is_forgotten_when_much_else_did_since', () => {
  const { suspicion } = createSuspicion();
  suspicion.noteHarmless('old');
  suspicion.noteHarmless('seen again');
  for (let index = 0; index < 4094; index += 1) suspicion.noteHarmless(String(index));
  suspicion.noteHarmless('seen again');
  suspicion.noteHarmless('new');
  assert.deepEqual(suspicion.listSuspicious(['old', 'seen again', 'new']), ['old']);
});

test('the_hash_of_an_upload_is_its_sha_256', () => {
  const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  assert.equal(toImageHash(Buffer.from('abc')), expected);
});
