import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { createInFlightJournal, openInFlightRecord } from '../../src/ipc/in-flight-journal.ts';
import { journalDescriptor } from '../../src/ipc/worker-descriptors.ts';

function open() {
  const record = openInFlightRecord();
  assert.ok(record);
  return record;
}

test('what_was_left_is_not_in_the_record', () => {
  const record = open();
  const journal = createInFlightJournal(record.descriptor);
  const leave = journal.enter(['a', 'b']);
  journal.enter(['c']);
  leave();
  leave();
  journal.enter(['d']);
  assert.deepEqual(record.close().sort(), ['c', 'd']);
});

test('an_empty_record_names_nobody', () => {
  assert.deepEqual(open().close(), []);
});

test('more_than_there_is_room_for_goes_unnoted_and_room_comes_back', () => {
  const record = open();
  const journal = createInFlightJournal(record.descriptor);
  const leave = journal.enter(Array.from({ length: 600 }, (_, index) => String(index)));
  journal.enter(['too late']);
  leave();
  journal.enter(['in time']);
  assert.deepEqual(record.close(), ['in time']);
});

test('notes_outlive_the_process_that_made_them', () => {
  const record = open();
  const script = `
    import { createInFlightJournal } from ${JSON.stringify(new URL('../../src/ipc/in-flight-journal.ts', import.meta.url).href)};
    createInFlightJournal(${String(journalDescriptor)}).enter(['poison']);
    process.kill(process.pid, 'SIGKILL');
  `;
  const options = ['--import', 'tsx', '--input-type=module', '--eval', script];
  const { signal } = spawnSync(process.execPath, options, {
    stdio: ['ignore', 'ignore', 'inherit', 'ignore', record.descriptor],
  });
  assert.equal(signal, 'SIGKILL');
  assert.deepEqual(record.close(), ['poison']);
});
