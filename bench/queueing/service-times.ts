import { readFileSync } from 'node:fs';
import path from 'node:path';

/** CPU time, in ms, of a warm worker's native work, as `record.ts` measures it. */
export interface ServiceTimes {
  readonly decodes: readonly number[];
  /** Of batches of one image, of two, and so on. */
  readonly batches: readonly (readonly number[])[];
}

/** The file that `record.ts` writes. */
export const serviceTimesFile = path.join(import.meta.dirname, 'service-times.json');

/** Reads what was recorded. */
export function loadServiceTimes(): ServiceTimes {
  return JSON.parse(readFileSync(serviceTimesFile, 'utf8')) as ServiceTimes;
}
