import assert from 'node:assert/strict';
import test from 'node:test';
import { makeMemoryCgroup } from '../fixtures/memory-cgroup.ts';
import { makePhoto } from '../fixtures/pictures.ts';
import { startService } from '../fixtures/service.ts';
import { postRaw, readTotal } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { warmWorkers } from '../fixtures/warm-workers.ts';

const limitBytes = 130e6;

test('workers_that_the_kernel_kills_for_memory_are_counted_as_oom_blame_no_picture_and_make_the_service_unready', async (t) => {
  const service = await startService(t);
  // Made later, so that it goes after the service has.
  const cgroup = makeMemoryCgroup(t);
  if (cgroup === undefined) {
    t.skip('no memory cgroup can be made here');
    return;
  }
  const { pid } = service.process;
  assert.ok(pid !== undefined);
  const photo = await makePhoto();
  const old = await warmWorkers(service, photo);
  assert.equal((await fetch(`${service.opsUrl}/readyz`)).status, 200);
  // Room for workers without a model: its first request kills each.
  cgroup.enter(pid);
  cgroup.setLimit(limitBytes);
  for (const worker of old) process.kill(worker.pid, 'SIGKILL');
  await waitFor(
    async () => {
      await postRaw(service.url, photo).catch(() => undefined);
      return (await readTotal(service.opsUrl, 'image_check_worker_restarts_total', 'reason="oom"')) >= 3;
    },
    'three workers ran out of memory',
    60_000,
  );
  assert.equal((await fetch(`${service.opsUrl}/readyz`)).status, 503);
  assert.match(
    service.stderr(),
    /"reason":"oom","detail":"out of memory: killed by the kernel at its memory limit of 130 MB"/,
  );
  assert.equal(await readTotal(service.opsUrl, 'image_check_suspects', 'state="suspected"'), 0);
  assert.equal(await readTotal(service.opsUrl, 'image_check_suspects', 'state="quarantined"'), 0);
});
