// Run by access-log.slow.test.ts: writes lines to stdout as argv asks, and ends as a worker does.
import { configSchema } from '../../src/config/schema.ts';
import { createAccessLog } from '../../src/http/access-log.ts';
import { openLogStream } from '../../src/log-stream.ts';

const [ending, lineCount = '0'] = process.argv.slice(2);
const config = configSchema.parse({ log: { accessFormat: '%(uri)' } }).log;
const stream = openLogStream(1, (error) => process.stderr.write(`lost: ${error.message}\n`));
const accessLog = createAccessLog(config, { slot: 0, pid: process.pid }, stream);

function writeLine(uri: string): void {
  accessLog.write({
    clientAddress: undefined,
    clientPort: undefined,
    method: 'GET',
    uri,
    protocol: 'HTTP/1.1',
    requestHeaders: {},
    requestHeaderCount: 0,
    status: 200,
    bodyBytes: 0,
    headerBytes: 0,
    headerCount: 0,
    startedAtEpochMs: 0,
    durationMs: 0,
    variables: new Map(),
  });
}

const startedAt = performance.now();
for (let line = 0; line < Number(lineCount); line += 1) writeLine(`/${String(line)}/${'x'.repeat(90)}`);
const tookMs = performance.now() - startedAt;

if (ending === 'kill') {
  await accessLog.flush();
  process.kill(process.pid, 'SIGKILL');
} else if (ending === 'report') {
  process.stderr.write(`wrote in ${String(Math.round(tookMs))} ms\n`, () => process.kill(process.pid, 'SIGKILL'));
} else if (ending === 'go-on') {
  // Until stdin ends: by then the reader of stdout is gone.
  process.stdin.resume().once('end', () => {
    writeLine('/after');
    setTimeout(() => {
      writeLine('/later');
      process.stderr.write('still here\n');
    }, 50);
  });
}
