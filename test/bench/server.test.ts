import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { Contender } from '../../bench/peers/contender.ts';
import { toUpload } from '../../bench/upload.ts';
import { type Server, startServer, waitForCalm, waitForListening, waitForVerdict } from '../../bench/versus/server.ts';

const upload = toUpload('raw', [Buffer.from('picture')]);

async function start(context: TestContext, program: string): Promise<Server> {
  const contender: Contender = {
    ...{ name: 'made up', kind: 'python', models: ['quality'], path: '/check', body: 'raw' },
    toCommand: ({ port }) => ({
      command: process.execPath,
      args: ['-e', program],
      cwd: import.meta.dirname,
      env: { ...process.env, PORT: String(port) },
    }),
    toScores: () => [],
  };
  const server = await startServer(contender, 'quality', 1);
  context.after(() => server.group.kill());
  return server;
}

test('a_server_is_waited_for_until_it_listens_and_judges', async (context) => {
  const server = await start(
    context,
    `let asked = 0;
     require('node:http').createServer((request, response) => {
       request.resume().on('end', () => {
         asked += 1;
         response.statusCode = asked < 3 ? 503 : 200;
         response.end(request.url + ' ' + asked);
       });
     }).listen(process.env.PORT, '127.0.0.1');`,
  );
  await waitForListening(server);
  assert.equal(await waitForVerdict(server, upload), '/check 3');
  await waitForCalm(server);
});

test('one_that_never_listens_fails_with_its_last_lines', async (context) => {
  const server = await start(context, `console.log('still loading'); setInterval(() => {}, 1000);`);
  await assert.rejects(
    waitForListening(server, 1500),
    /made up did not listen within 1\.5 s: (still loading|it printed)/,
  );
});

test('one_that_ends_at_its_start_fails_at_once_with_its_last_lines', async (context) => {
  const server = await start(context, `console.error('no such model'); process.exit(3)`);
  await assert.rejects(waitForListening(server), /made up ended at its start: no such model/);
});

test('one_that_listens_but_never_judges_fails', async (context) => {
  const server = await start(
    context,
    `require('node:http').createServer((_, response) => response.writeHead(500).end()).listen(process.env.PORT)`,
  );
  await assert.rejects(waitForVerdict(server, upload, 1500), /did not judge a picture within 1\.5 s/);
});

test('all_processes_of_a_killed_server_are_gone', async (context) => {
  const server = await start(
    context,
    `const { spawn } = require('node:child_process');
     const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true });
     console.log('child', child.pid);
     require('node:net').createServer().listen(process.env.PORT, '127.0.0.1');`,
  );
  await waitForListening(server);
  const pid = Number(/child (\d+)/.exec(server.group.output())?.[1]);
  assert.doesNotThrow(() => process.kill(pid, 0));
  await server.group.kill();
  assert.deepEqual(server.group.readMemory(), []);
});
