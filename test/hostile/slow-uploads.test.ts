import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { makePhoto } from '../fixtures/pictures.ts';
import { countStatuses, openRawClient, type RawClient } from '../fixtures/raw-client.ts';
import { endUnharmed, startRunningLoad } from '../fixtures/running-load.ts';
import { type Service, startService } from '../fixtures/service.ts';
import { readTotal } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { warmWorkers } from '../fixtures/warm-workers.ts';
import { assertCalmAgain, type Calm, measureCalm } from './unharmed.ts';

const mebibyte = 2 ** 20;
const boundary = 'limit';
let service: Service;
let photo: Buffer;
let calm: Calm;
const cleanUps: (() => void)[] = [];

before(async () => {
  service = await startService({ after: (cleanUp) => cleanUps.push(cleanUp) });
  photo = await makePhoto();
  await warmWorkers(service, photo);
  calm = await measureCalm(service);
});

after(() => {
  for (const cleanUp of cleanUps) cleanUp();
});

function openForm(context: TestContext, bytes: number): RawClient {
  const client = openRawClient(service.port);
  context.after(() => client.socket.destroy());
  const lines = [
    'POST /v1/check HTTP/1.1',
    'Host: test',
    `Content-Type: multipart/form-data; boundary=${boundary}`,
    `Content-Length: ${String(bytes)}`,
  ];
  client.socket.write([...lines, '', ''].join('\r\n'));
  return client;
}

function toPart(parameters: string, content: Uint8Array): Buffer {
  const header = `--${boundary}\r\nContent-Disposition: form-data; ${parameters}\r\n\r\n`;
  return Buffer.concat([Buffer.from(header), content, Buffer.from('\r\n')]);
}

function hasStatus({ received }: RawClient): boolean {
  return received().includes('HTTP/1.1 ');
}

test('eight_forms_of_64_MiB_that_bring_a_byte_every_5_s_get_408_a_polite_client_gets_its_verdicts', async (context) => {
  const attackers = Array.from({ length: 8 }, () => openForm(context, 64 * mebibyte));
  const drip = setInterval(() => {
    for (const { socket } of attackers) socket.write('-');
  }, 5000);
  context.after(() => {
    clearInterval(drip);
  });
  await waitFor(async () => (await readTotal(service.opsUrl, 'image_check_in_flight')) === 8);
  const polite = startRunningLoad(context, service.url, photo, { clients: 1, pauseMs: 300 });
  await waitFor(() => attackers.every(hasStatus));
  clearInterval(drip);
  await endUnharmed(polite);
  assert.deepEqual(countStatuses(attackers), { 408: 8 });
  await assertCalmAgain(service, calm);
});

test('uploads_that_fill_the_byte_budget_and_stall_make_room_they_get_429_polite_clients_get_verdicts', async (context) => {
  const start = toPart('name="image"; filename="stalls"', Buffer.alloc(9 * mebibyte));
  const attackers = Array.from({ length: 80 }, () => openForm(context, 64 * mebibyte));
  for (const { socket } of attackers) socket.write(start);
  await waitFor(() => attackers.some(hasStatus));
  const polite = startRunningLoad(context, service.url, photo, { clients: 2, pauseMs: 100 });
  await waitFor(() => attackers.every(hasStatus));
  await endUnharmed(polite);
  const statuses = countStatuses(attackers);
  console.log(statuses);
  assert.deepEqual(Object.keys(statuses), ['408', '429']);
  await assertCalmAgain(service, calm);
});

test('of_twelve_simultaneous_uploads_of_60_MiB_at_least_four_finish_the_others_get_429', async (context) => {
  const parts = [
    toPart('name="image"; filename="photo.jpg"', photo),
    toPart('name="note"', Buffer.alloc(60 * mebibyte, 'x')),
  ];
  const form = Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]);
  const clients = Array.from({ length: 12 }, () => openForm(context, form.length));
  for (const { socket } of clients) socket.write(form);
  await waitFor(() => clients.every(hasStatus));
  const { 200: finished = 0, 429: refused = 0 } = countStatuses(clients);
  console.log(`${String(finished)} finished, ${String(refused)} refused`);
  assert.equal(finished + refused, 12, JSON.stringify(countStatuses(clients)));
  assert.ok(finished >= 4);
  for (const { socket } of clients) socket.destroy();
  await assertCalmAgain(service, calm);
});
