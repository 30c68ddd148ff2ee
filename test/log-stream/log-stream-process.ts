// Run by log-stream.slow.test.ts: logs events to a stream that may not be read, and tells on stdout how it went.
import { createLogger } from '../../src/log.ts';
import { openLogStream } from '../../src/log-stream.ts';

const [descriptor = '', format, lineCount = '0'] = process.argv.slice(2);
const stream = openLogStream(Number(descriptor));
const log = createLogger({ level: 'info', format: format === 'pretty' ? 'pretty' : 'json' }, {}, stream);
for (let line = 0; line < Number(lineCount); line += 1) log.info({ line, padding: 'x'.repeat(1000) }, 'an event');
process.stdout.write(`${JSON.stringify({ droppedLines: stream.droppedLines })}\n`);
process.stdin.resume().once('end', () => {
  void (async () => {
    await stream.flush();
    log.info('the last event');
    await stream.flush();
    process.kill(process.pid, 'SIGKILL');
  })();
});
