import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, createReadStream, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openLogStream } from '../../src/log-stream.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

const logDescriptor = 3;
const script = fileURLToPath(new URL('log-stream-process.ts', import.meta.url));

interface Run {
  readonly child: ChildProcess;
  readonly stdin: Writable;
  /** What the log is written to. */
  readonly log: Readable;
  readonly report: Promise<{ readonly droppedLines: number }>;
}

/** Runs the script with its log in a socket, as pm2 and systemd give it, or in a named pipe, as a shell does. */
function run(context: TestContext, kind: 'socket' | 'pipe', ...args: string[]): Run {
  const fifo = kind === 'pipe' ? makeFifo(context) : undefined;
  const child = spawn(process.execPath, ['--import', 'tsx', script, String(logDescriptor), ...args], {
    stdio: ['pipe', 'pipe', 'inherit', fifo?.descriptor ?? 'pipe'],
  });
  context.after(() => child.kill('SIGKILL'));
  const [stdin, stdout, , socket] = child.stdio;
  assert.ok(stdin && stdout);
  const report = once(stdout, 'data').then(([chunk]) => JSON.parse(String(chunk)) as { droppedLines: number });
  return { child, stdin, log: fifo?.open() ?? (socket as Readable), report };
}

function makeFifo(context: TestContext): { readonly descriptor: number; readonly open: () => Readable } {
  const file = path.join(makeTempDir(context), 'fifo');
  execFileSync('mkfifo', [file]);
  // Opened for both, so that neither end waits for the other.
  const descriptor = openSync(file, constants.O_RDWR);
  return {
    descriptor,
    open() {
      const reading = openSync(file, constants.O_RDONLY);
      closeSync(descriptor);
      return createReadStream('', { fd: reading });
    },
  };
}

for (const kind of ['socket', 'pipe'] as const) {
  test(`a ${kind} that nobody reads does not hold up the process; what does not fit is dropped and counted`, async (t) => {
    const { stdin, log, report } = run(t, kind, 'json', '10000');
    const { droppedLines } = await report;
    assert.ok(droppedLines > 0 && droppedLines < 10_000, String(droppedLines));
    const written = text(log);
    stdin.end();
    const lines = (await written).trimEnd().split('\n');
    assert.equal(lines.length, 10_000 - droppedLines + 1);
    assert.equal((JSON.parse(lines.at(-1) ?? '') as { msg: string }).msg, 'the last event');
  });
}

test('a_reader_that_keeps_up_gets_every_line_also_when_the_process_is_killed_after_a_flush', async (t) => {
  for (const format of ['json', 'pretty']) {
    const { stdin, log, report } = run(t, 'socket', format, '500');
    const written = text(log);
    assert.deepEqual(await report, { droppedLines: 0 });
    stdin.end();
    assert.equal((await written).trimEnd().split('\n').length, 501, format);
  }
});

test('a_reader_that_is_gone_does_not_end_the_process', async (t) => {
  const { child, stdin, log, report } = run(t, 'socket', 'json', '0');
  await report;
  log.destroy();
  stdin.end();
  assert.deepEqual(await once(child, 'exit'), [null, 'SIGKILL']);
});

test('a_file_takes_whole_lines_a_full_disk_costs_no_more_than_the_lines_which_are_counted', (t) => {
  const file = path.join(makeTempDir(t), 'events.log');
  const [descriptor, full] = [openSync(file, 'w'), openSync('/dev/full', 'w')];
  t.after(() => {
    for (const opened of [descriptor, full]) closeSync(opened);
  });
  const stream = openLogStream(descriptor);
  stream.write('one\ntwo\n');
  assert.equal(readFileSync(file, 'utf8'), 'one\ntwo\n');
  assert.equal(stream.droppedLines, 0);
  const losses: string[] = [];
  const refused = openLogStream(full, (error) => losses.push(error.message));
  refused.write('one\ntwo\n');
  assert.equal(refused.droppedLines, 2);
  assert.match(losses.join(), /ENOSPC/);
});
