import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { loadConfig } from '../../src/config/load.ts';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { makePhoto } from '../fixtures/pictures.ts';
import { type Pm2, type Pm2App, preparePm2 } from '../fixtures/pm2.ts';
import { findFreePort, occupyPort } from '../fixtures/port.ts';
import { isAlive } from '../fixtures/process-life.ts';
import type { Health } from '../fixtures/service.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { postRaw } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const ecosystem = path.resolve(import.meta.dirname, '..', '..', 'ecosystem.config.js');

/** A pm2 with nothing started, and where a service that it starts will be. */
interface Stage {
  readonly pm2: Pm2;
  readonly port: number;
  readonly url: string;
  readonly health: () => Promise<Health>;
  readonly readyStatus: () => Promise<number>;
  /** The only app. */
  readonly app: () => Promise<Pm2App>;
}

async function setStage(context: TestContext, environment: NodeJS.ProcessEnv = {}): Promise<Stage> {
  const [port, opsPort] = [await findFreePort(), await findFreePort()];
  const modelsDir = makeTempDir(context);
  await writeColourModel(modelsDir, { name: 'quality' });
  const pm2 = preparePm2(context, {
    NODE_ENV: 'test',
    IMAGE_CHECK_SERVER_PORT: String(port),
    IMAGE_CHECK_OPS_PORT: String(opsPort),
    IMAGE_CHECK_WORKERS: '2',
    IMAGE_CHECK_MODEL_ENGINE: 'wasm',
    IMAGE_CHECK_MODELS_DIR: modelsDir,
    ...environment,
  });
  const opsUrl = `http://127.0.0.1:${String(opsPort)}`;
  return {
    pm2,
    port,
    url: `http://127.0.0.1:${String(port)}`,
    health: async () => (await (await fetch(`${opsUrl}/health`)).json()) as Health,
    readyStatus: async () => (await fetch(`${opsUrl}/readyz`)).status,
    app: async () => {
      const [app, ...others] = await pm2.list('image-check');
      assert.ok(app !== undefined && others.length === 0);
      return app;
    },
  };
}

/** Waits until every worker listens: pm2 is told as soon as one of them serves. */
async function waitForWorkers(stage: Stage): Promise<Health> {
  await waitFor(async () => (await stage.health()).workers.every(({ stage: at }) => at === 'listening'));
  return stage.health();
}

test('start_returns_when_the_service_answers', async (context) => {
  const stage = await setStage(context);
  const photo = await makePhoto();
  await stage.pm2.run('start', ecosystem);
  assert.equal((await postRaw(stage.url, photo)).status, 200);
  const [app, health] = [await stage.app(), await stage.health()];
  assert.equal(app.pm2_env.status, 'online');
  assert.equal(app.pid, health.primary.pid);
});

test('the_production_environment_loads_models_on_first_use_too', async (context) => {
  const stage = await setStage(context);
  await stage.pm2.run('start', ecosystem, '--env', 'production');
  const { workers } = await waitForWorkers(stage);
  assert.ok(workers.every(({ ready }) => !ready));
  assert.equal((await postRaw(stage.url, await makePhoto())).status, 200);
  await waitFor(async () => (await stage.health()).workers.some(({ ready }) => ready));
});

test('hup_changes_every_worker_and_fails_no_request', async (context) => {
  const stage = await setStage(context);
  const photo = await makePhoto();
  await stage.pm2.run('start', ecosystem);
  const before = await waitForWorkers(stage);
  let isOver = false;
  const upload = async (): Promise<number[]> => {
    const statuses: number[] = [];
    while (!isOver) statuses.push((await postRaw(stage.url, photo)).status);
    return statuses;
  };
  const clients = Promise.all([upload(), upload(), upload()]).finally(() => (isOver = true));
  await stage.pm2.run('sendSignal', 'SIGHUP', 'image-check');
  const old = before.workers.map(({ pid }) => pid);
  await waitFor(async () => {
    const { workers } = await stage.health();
    return isOver || (workers.every(({ pid }) => !old.includes(pid)) && !old.some(isAlive));
  });
  isOver = true;
  const statuses = (await clients).flat();
  assert.deepEqual([...new Set(statuses)], [200]);
  assert.equal((await stage.health()).primary.pid, before.primary.pid);
  assert.equal((await stage.app()).pm2_env.restart_time, 0);
});

test('reload_and_restart_bring_a_new_primary_on_the_same_ports', async (context) => {
  const stage = await setStage(context);
  const photo = await makePhoto();
  await stage.pm2.run('start', ecosystem);
  for (const command of ['reload', 'restart']) {
    const before = await stage.health();
    await stage.pm2.run(command, 'image-check');
    assert.equal((await postRaw(stage.url, photo)).status, 200);
    assert.notEqual((await stage.health()).primary.pid, before.primary.pid);
    assert.deepEqual(before.workers.map(({ pid }) => pid).filter(isAlive), []);
  }
  assert.equal((await stage.app()).pm2_env.restart_time, 2);
});

/** Sends the head and the first half of an upload. */
function beginUpload({ port }: Stage, photo: Buffer): { sent: ClientRequest; finish: () => Promise<IncomingMessage> } {
  const headers = { 'Content-Type': 'image/jpeg', 'Content-Length': String(photo.length) };
  const sent = request({ port, host: '127.0.0.1', path: '/v1/check', method: 'POST', headers, agent: false });
  const half = Math.floor(photo.length / 2);
  sent.write(photo.subarray(0, half));
  const answered = once(sent, 'response').then(([response]) => response as IncomingMessage);
  return {
    sent,
    finish: () => {
      sent.end(photo.subarray(half));
      return answered;
    },
  };
}

test('stop_lets_an_upload_finish_then_ends_every_process', async (context) => {
  const stage = await setStage(context);
  await stage.pm2.run('start', ecosystem);
  const { workers, primary } = await waitForWorkers(stage);
  const upload = beginUpload(stage, await makePhoto());
  context.after(() => upload.sent.destroy());
  await waitFor(async () => (await stage.health()).workers.some(({ inFlight }) => inFlight > 0));
  const stopped = stage.pm2.run('stop', 'image-check');
  await waitFor(async () => (await stage.readyStatus()) === 503);
  const answer = await upload.finish();
  assert.equal(answer.statusCode, 200);
  await answer.toArray();
  await stopped;
  const { pid, pm2_env: state } = await stage.app();
  assert.deepEqual([pid, state.status, state.exit_code, state.restart_time], [0, 'stopped', 0, 0]);
  assert.deepEqual([primary.pid, ...workers.map((worker) => worker.pid)].filter(isAlive), []);
  await (await occupyPort(stage.port)).free();
});

test('a_primary_that_is_killed_is_back_and_leaves_no_worker_behind', async (context) => {
  const stage = await setStage(context);
  const photo = await makePhoto();
  await stage.pm2.run('start', ecosystem);
  const before = await waitForWorkers(stage);
  for (const [count, signal] of (['SIGKILL', 'SIGINT'] as const).entries()) {
    const { pid } = await stage.app();
    process.kill(pid, signal);
    await waitFor(async () => {
      const app = await stage.app();
      return app.pm2_env.restart_time === count + 1 && app.pm2_env.status === 'online';
    });
    assert.equal((await postRaw(stage.url, photo)).status, 200);
    assert.ok(!isAlive(pid));
  }
  assert.deepEqual(before.workers.map(({ pid }) => pid).filter(isAlive), []);
});

test('killing_pm2_leaves_no_process', async (context) => {
  const stage = await setStage(context);
  await stage.pm2.run('start', ecosystem);
  await waitForWorkers(stage);
  assert.equal(stage.pm2.listProcesses().length, 4, 'the daemon, the primary, two workers');
  await stage.pm2.run('kill');
  await waitFor(() => stage.pm2.listProcesses().length === 0);
});

/** Writes an ecosystem file that says some things otherwise than the project's. */
function writeEcosystem(context: TestContext, ...changes: readonly Readonly<Record<string, unknown>>[]): string {
  const file = path.join(makeTempDir(context), 'changed.config.mjs');
  const source = `import { apps } from '${pathToFileURL(ecosystem).href}';`;
  const list = changes.map((change) => `{ ...apps[0], ...${JSON.stringify(change)} }`).join(', ');
  writeFileSync(file, `${source}\nexport const changed = [${list}];\nexport { changed as apps };\n`);
  return file;
}

test('a_bad_configuration_is_not_tried_again_but_a_port_in_use_is', async (context) => {
  const stage = await setStage(context);
  const occupied = await occupyPort(stage.port);
  const bad = { name: 'bad', env: { IMAGE_CHECK_WORKERS: 'many' } };
  await stage.pm2.run('start', writeEcosystem(context, bad, { name: 'patient' }));
  const find = async (name: string): Promise<Pm2App> => {
    const [app] = await stage.pm2.list(name);
    assert.ok(app !== undefined);
    return app;
  };
  await waitFor(async () => (await find('patient')).pm2_env.restart_time >= 2);
  await occupied.free();
  await waitFor(async () => (await stage.readyStatus().catch(() => 0)) === 200);
  const patient = await find('patient');
  assert.ok(stage.pm2.readErrors(patient).some((line) => /^image-check: port \d+ is in use/.test(line)));
  const refused = await find('bad');
  assert.deepEqual([refused.pid, refused.pm2_env.exit_code, refused.pm2_env.restart_time], [0, 78, 0]);
  const lines = stage.pm2.readErrors(refused);
  assert.equal(lines.length, 1, lines.join('\n'));
  assert.match(lines[0] ?? '', /^image-check: .*workers: "many" is not within/);
});

const foreignCluster = /^image-check: started as a worker of another cluster.*exec_mode 'fork'/;

test('in_cluster_mode_each_instance_says_so_in_one_line_and_ends_in_78', async (context) => {
  const stage = await setStage(context);
  await stage.pm2.run('start', writeEcosystem(context, { exec_mode: 'cluster', instances: 2, wait_ready: false }));
  const list = (): Promise<Pm2App[]> => stage.pm2.list('image-check');
  await waitFor(async () => (await list()).every(({ pm2_env: state }) => state.exit_code !== undefined));
  const instances = await list();
  assert.equal(instances.length, 2);
  for (const instance of instances) {
    const { exit_code: exitCode, restart_time: restarts } = instance.pm2_env;
    assert.deepEqual([instance.pid, exitCode, restarts], [0, 78, 0]);
    const lines = stage.pm2.readErrors(instance);
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(lines[0] ?? '', foreignCluster);
  }
});

test('in_cluster_mode_without_the_ecosystem_file_pm2_gives_up', async (context) => {
  const stage = await setStage(context);
  // pm2's own limits are 16 starts that each end within a second: a fast machine meets them.
  const limits = { max_restarts: 3, min_uptime: 60_000 };
  const app = { name: 'clustered', script: 'src/launcher.mjs', args: 'serve', cwd: path.dirname(ecosystem), ...limits };
  const file = path.join(makeTempDir(context), 'clustered.json');
  writeFileSync(file, JSON.stringify({ apps: [{ ...app, exec_mode: 'cluster', instances: 2 }] }));
  await stage.pm2.run('start', file);
  const list = (): Promise<Pm2App[]> => stage.pm2.list('clustered');
  await waitFor(async () => (await list()).every(({ pm2_env: state }) => state.status === 'errored'));
  const instances = await list();
  assert.equal(instances.length, 2);
  for (const instance of instances) {
    assert.deepEqual([instance.pid, instance.pm2_env.exit_code], [0, 78]);
    for (const line of stage.pm2.readErrors(instance)) assert.match(line, foreignCluster);
  }
});

test('pm2_waits_longer_than_a_drain_takes', async () => {
  const { config } = loadConfig({ rootDir: path.dirname(ecosystem), environment: {} });
  const { apps } = (await import(pathToFileURL(ecosystem).href)) as { apps: { kill_timeout: number }[] };
  assert.ok((apps[0]?.kill_timeout ?? 0) >= config.shutdown.graceMs + 5000);
});
