import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import test from 'node:test';
import { makePhoto } from '../fixtures/pictures.ts';
import { startService } from '../fixtures/service.ts';
import { postRaw } from '../fixtures/uploads.ts';
import { warmWorkers } from '../fixtures/warm-workers.ts';

const requestsPerConnection = 200;

/** Requests /metrics one time after another over one connection; the bodies, each once. */
async function flood(url: string): Promise<Set<string>> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const bodies = new Set<string>();
  for (let i = 0; i < requestsPerConnection; i++) {
    const body = await new Promise<string>((resolve, reject) => {
      request(`${url}/metrics`, { agent }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('error', reject).on('end', () => {
          assert.equal(response.statusCode, 200);
          assert.equal(response.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
          resolve(text);
        });
      })
        .on('error', reject)
        .end();
    });
    bodies.add(body);
  }
  agent.destroy();
  return bodies;
}

for (const port of ['public', 'ops'] as const) {
  test(`a flood of requests for /metrics on the ${port} port costs one merge a second`, async (t) => {
    const service = await startService(t);
    const photo = await makePhoto();
    await warmWorkers(service, photo);
    const startedAt = performance.now();
    let running = 8;
    const floods = Promise.all(
      Array.from({ length: running }, () =>
        flood(port === 'public' ? service.url : service.opsUrl).finally(() => (running -= 1)),
      ),
    );
    const statuses = new Set<number>();
    while (running > 0) {
      statuses.add((await postRaw(service.url, photo)).status);
      for (const probe of ['/livez', '/readyz']) statuses.add((await fetch(service.opsUrl + probe)).status);
    }
    const texts = new Set((await floods).flatMap((bodies) => [...bodies]));
    const seconds = (performance.now() - startedAt) / 1000;
    assert.deepEqual([...statuses], [200]);
    // The first is merged at once, and the last text may be shared for a second more.
    assert.ok(texts.size <= seconds + 2, `${String(texts.size)} merges in ${seconds.toFixed(1)} s`);
    const { workers } = await service.health();
    assert.deepEqual(
      workers.map(({ restarts }) => restarts),
      [0, 0],
    );
  });
}
