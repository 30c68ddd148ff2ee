import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { loadLabels } from '../../src/cli/labels-file.ts';
import { addThresholds } from '../../src/cli/policy-flag.ts';
import { toShortList } from '../../src/short-list.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

function write(context: TestContext, content: unknown): string {
  const file = path.join(makeTempDir(context), 'labels');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

test('labels_are_read_from_what_programs_write', (context) => {
  const contents = [
    'cat\ndog\n',
    '\uFEFFcat\r\ndog\r\n\r\n',
    '0 cat\n1 dog\n',
    ['cat', 'dog'],
    { 0: 'cat', 1: 'dog' },
    { 1: ['n02', 'dog'], 0: ['n01', 'cat'] },
    { dog: 1, cat: 0 },
  ];
  for (const content of contents) assert.deepEqual(loadLabels(write(context, content)), ['cat', 'dog']);
});

test('numbers_that_are_part_of_the_names_stay', (context) => {
  assert.deepEqual(loadLabels(write(context, '7 up\n3 musketeers\n')), ['7 up', '3 musketeers']);
  assert.deepEqual(loadLabels(write(context, '0\n1\n')), ['0', '1']);
});

test('a_file_of_labels_that_is_damaged_is_named', (context) => {
  const cases: [unknown, RegExp][] = [
    ['', /holds no label/],
    ['[]', /holds no label/],
    ['a\n\nb\n', /label 2 is empty/],
    ['crane\nmaillot\ncrane\n', /labels 1 and 3 are both 'crane'/],
    ['["a"', /is not JSON/],
    [['a', 3], /label 2 is no text/],
    [{ 0: 'a', 2: 'b' }, /has no label of the number 1; they run from 0/],
    [{ a: 0, b: 0 }, /has no label of the number 1/],
    [{ '': 'a' }, /has no label of the number 0/],
  ];
  for (const [content, message] of cases) {
    assert.throws(
      () => loadLabels(write(context, content)),
      (thrown: Error) => {
        assert.match(thrown.message, /^--labels-file /);
        assert.match(thrown.message, message);
        return true;
      },
    );
  }
  assert.throws(() => loadLabels(path.join(makeTempDir(context), 'gone')), /gone: can't be read: ENOENT/);
});

test('thresholds_are_taken_for_one_label_after_the_other', () => {
  const first = addThresholds('porn=0.5,0.8');
  assert.deepEqual(first, { porn: { review: 0.5, reject: 0.8 } });
  assert.deepEqual(addThresholds('a=b=0.7', first), { ...first, 'a=b': { review: 0.7 } });
  assert.deepEqual(addThresholds('x=,1'), { x: { reject: 1 } });
});

test('thresholds_that_make_no_sense_are_refused', () => {
  for (const text of ['', 'porn', '=0.5', 'porn=', 'porn=,', 'porn=a', 'porn=1.5', 'porn=-1', 'porn=0.1,0.2,0.3']) {
    assert.throws(() => addThresholds(text), /must be label=review,reject/, text);
  }
  assert.throws(() => addThresholds('porn=0.8,0.5'), /review of porn is above reject/);
  assert.throws(() => addThresholds('porn=0.8', { porn: {} }), /names porn twice/);
});

test('a_thousand_names_are_a_short_line', () => {
  const names = Array.from({ length: 1000 }, (_, index) => `name${String(index)}`);
  assert.equal(toShortList(names), `${names.slice(0, 8).join(', ')}, … 992 more`);
  assert.equal(toShortList(names.slice(0, 9)), names.slice(0, 9).join(', '));
});
