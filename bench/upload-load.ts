// Uploads one file on many connections at once until its parent ends: node upload-load.ts URL FILE CONNECTIONS
import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';

const [url = '', file = '', connections = ''] = process.argv.slice(2);
process.on('disconnect', () => process.exit());
void autocannon({
  url,
  connections: Number(connections),
  duration: 3600,
  timeout: 60,
  method: 'POST',
  headers: { 'content-type': 'image/jpeg' },
  body: readFileSync(file),
});
