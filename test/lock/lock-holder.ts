// Takes the lock named by its argument, says so and holds it until it is killed.
import { acquireLock } from '../../src/lock.ts';

const name = process.argv[2];
if (name === undefined) throw new Error('no name');
const { signal } = new AbortController();
await acquireLock(name, { signal, timeoutMs: 10_000, onWait: () => undefined });
process.send?.('held');
