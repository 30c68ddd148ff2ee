// Lets Node run TypeScript in every process and thread of the tests; `--import tsx` leaves out threads on Node 20.
import { register } from 'tsx/esm/api';

register();
await import('./fixtures/native-library.ts');
