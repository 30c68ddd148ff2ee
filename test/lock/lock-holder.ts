// Takes the lock in the folder that its argument names, says so and holds it until it is killed.
import { acquireLock } from '../../src/lock.ts';

const folder = process.argv[2];
if (folder === undefined) throw new Error('no folder');
const { signal } = new AbortController();
await acquireLock(folder, 'lock', { signal, timeoutMs: 10_000, onWait: () => undefined });
process.send?.('held');
