import assert from 'node:assert/strict';
import test from 'node:test';
import { errorTable } from '../../src/error-table.ts';
import { ask, startPrimaryProcess } from '../fixtures/primary-harness.ts';
import { waitFor } from '../fixtures/wait-for.ts';

test('the_ops_port_answers_as_the_contract_says_and_a_worker_that_asks_hears_the_same', async (t) => {
  const primary = await startPrimaryProcess(t, { workerCount: 1 });
  await primary.serving(1);
  const live = await ask(primary.opsPort, '/livez');
  assert.deepEqual([live.status, live.body], [200, '{"status":"live"}\n']);
  assert.equal(live.headers['cache-control'], 'no-store');
  const ready = await ask(primary.opsPort, '/readyz?verbose');
  assert.deepEqual([ready.status, ready.body], [200, '{"status":"ready"}\n']);

  const health: unknown = JSON.parse((await ask(primary.opsPort, '/health')).body);
  const { version, workers } = health as { version: string; workers: object[] };
  assert.equal(version, '1.2.3');
  assert.deepEqual(Object.keys(workers[0] ?? {}), [
    ...['slot', 'pid', 'stage', 'serving', 'ready', 'models', 'inFlight', 'queueDepth', 'checked', 'restarts'],
    ...['heartbeatAgeMs', 'memory'],
  ]);

  await primary.whoAnswers('/load');
  const models = await waitFor(async () => {
    const { body } = await ask(primary.opsPort, '/v1/models');
    return body.includes('ready') && body;
  }, 'the model is ready');
  const [model] = [
    { name: 'quality', version: '1', default: true, workers: [{ slot: 0, state: 'ready', engine: 'wasm', loadMs: 1 }] },
  ];
  assert.deepEqual(JSON.parse(models), { models: [model] });
  const asked = await ask(primary.publicPort, '/ask?path=/v1/models');
  assert.deepEqual(
    [asked.status, asked.headers['content-type'], asked.body],
    [200, 'application/json; charset=utf-8', models],
  );
  const metrics = await ask(primary.publicPort, '/ask?path=/metrics');
  assert.equal(metrics.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  assert.match(metrics.body, /image_check_build_info\{version="1\.2\.3",node="[^"]+",engine="wasm"\} 1/);
});

test('HEAD_has_the_headers_of_GET_and_no_body', async (t) => {
  const primary = await startPrimaryProcess(t, { config: { models: { dir: 'never-listen' } } });
  const { status, headers, body } = await ask(primary.opsPort, '/readyz', { method: 'HEAD' });
  assert.deepEqual([status, headers['content-length'], body], [503, '21', '']);
});

test('unknown_paths_and_wrong_methods_get_a_problem_document', async (t) => {
  const primary = await startPrimaryProcess(t, { config: { models: { dir: 'never-listen' } } });
  for (const target of ['/', '/health/', '/v1/check', '//health', '/%ff']) {
    const { status, headers, body } = await ask(primary.opsPort, target);
    const problem = {
      type: 'urn:image-check:error:not-found',
      title: 'No such route',
      status: 404,
      detail: 'the service has no such path',
      code: 'ERR_NOT_FOUND',
    };
    assert.deepEqual([status, headers['content-type'], JSON.parse(body)], [404, 'application/problem+json', problem]);
  }
  const { status, headers, body } = await ask(primary.opsPort, '/health', { method: 'POST', body: '{}' });
  assert.deepEqual([status, headers['allow']], [405, 'GET, HEAD']);
  const { type, title, detail, code } = JSON.parse(body) as Record<string, unknown>;
  assert.deepEqual(
    [type, title, detail, code],
    [
      'urn:image-check:error:method-not-allowed',
      errorTable.ERR_METHOD_NOT_ALLOWED.title,
      '/health supports GET, HEAD',
      'ERR_METHOD_NOT_ALLOWED',
    ],
  );
});

test('frozen_workers_do_not_delay_any_answer', async (t) => {
  const primary = await startPrimaryProcess(t);
  for (const pid of primary.pids(await primary.serving())) process.kill(pid, 'SIGSTOP');
  for (const target of ['/livez', '/readyz', '/health', '/metrics', '/v1/models']) {
    assert.equal((await ask(primary.opsPort, target)).status, 200, target);
  }
  const ages = await waitFor(async () => {
    const { workers } = await primary.health();
    return workers.every(({ heartbeatAgeMs }) => (heartbeatAgeMs ?? 0) > 500) && workers;
  }, 'the silence shows');
  assert.equal(ages.length, 2);
});
