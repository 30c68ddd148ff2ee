import assert from 'node:assert/strict';
import test from 'node:test';
import { occupyPort } from '../fixtures/port.ts';
import { startPrimaryProcess } from '../fixtures/primary-harness.ts';
import { waitFor } from '../fixtures/wait-for.ts';

for (const option of ['server', 'ops'] as const) {
  test(`a port in use (${option}.port) ends the start with 75 and one line`, async (t) => {
    const { port, free } = await occupyPort();
    t.after(free);
    const primary = await startPrimaryProcess(t, { config: { [option]: { port } } });
    assert.deepEqual(await primary.exited, { code: 75, signal: null });
    assert.equal(primary.log, `port ${String(port)} is in use (${option}.port)\n`);
  });
}

test('an_address_that_this_machine_does_not_have_ends_the_start_with_78', async (t) => {
  const primary = await startPrimaryProcess(t, { config: { server: { host: '203.0.113.7' } } });
  assert.deepEqual(await primary.exited, { code: 78, signal: null });
  assert.match(primary.log, /^can't listen on 203\.0\.113\.7 \(server\.host\): .*\n$/);
});

test('a_pid_file_that_can_not_be_written_ends_the_start_with_78_and_frees_the_ports', async (t) => {
  const primary = await startPrimaryProcess(t, { pidFile: '/proc/image-check/pid' });
  assert.deepEqual(await primary.exited, { code: 78, signal: null });
  assert.match(primary.log, /^can't write the pid file: .*\n$/);
});

test('pm2_hears_ready_once_enough_workers_serve_and_not_before', async (t) => {
  const primary = await startPrimaryProcess(t, { config: { health: { minServingWorkers: 2 } } });
  const servingWhenAnnounced = await waitFor(async () => {
    const wasAnnounced = primary.isAnnounced;
    const { status, workers } = await primary.health();
    const serving = workers.filter((worker) => worker.serving).length;
    assert.equal(status, serving >= 2 ? 'ready' : 'unready');
    return wasAnnounced && serving;
  }, 'ready is announced');
  assert.equal(servingWhenAnnounced, 2);
});
