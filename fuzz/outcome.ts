import type { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { errorTable } from '../src/error-table.ts';
import { type ErrorCode, toMessage } from '../src/errors.ts';
import { type Answer, postForm, postRaw } from '../test/fixtures/uploads.ts';
import type { Input } from './corpus.ts';

/** The outcome of one picture of an upload. */
export interface Outcome {
  /** A code, `200`, or a description of the failure. */
  readonly said: string;
  readonly isExpected: boolean;
  readonly isBusy: boolean;
  /** Whether there was an answer at all. */
  readonly isAnswered: boolean;
}

/** Codes that may refuse a whole upload of a damaged picture. */
const expectedCodes = new Set<string>([
  'ERR_UPLOAD_MISSING',
  'ERR_IMAGE_UNSUPPORTED',
  'ERR_IMAGE_CORRUPT',
  'ERR_IMAGE_TOO_MANY_PIXELS',
  'ERR_IMAGE_TOO_COSTLY',
  'ERR_IMAGE_QUARANTINED',
  'ERR_DECODE_TIMEOUT',
] satisfies ErrorCode[]);

/** Codes of a slow machine: the picture has not been processed yet. */
const busyCodes = new Set<string>(['ERR_OVERLOADED', 'ERR_DEADLINE'] satisfies ErrorCode[]);
const attempts = 5;
const retryMs = 1000;
/** Well beyond every deadline of the service: a request that waits longer hangs. */
const patienceMs = 120_000;

/**
 * Uploads pictures, one as a raw body and several as a form, and retries if the service is busy. A form begins with a good
 * picture: a form that fails as a whole reports only its first error.
 * @returns an outcome for each input
 */
export async function upload(
  url: string,
  inputs: readonly Input[],
  photo: Buffer,
  agent: Agent,
): Promise<readonly Outcome[]> {
  const files = inputs.length > 1 ? [{ name: 'good.jpeg', format: 'jpeg', bytes: photo } as const, ...inputs] : inputs;
  let outcomes: readonly Outcome[] = [];
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    if (attempt > 0) await delay(retryMs);
    outcomes = await uploadOnce(url, files, agent);
    if (!outcomes.some(({ isBusy }) => isBusy)) break;
  }
  const [good] = outcomes;
  if (files === inputs || good?.said === '200') return outcomes.slice(-inputs.length);
  const spoiled = { said: `a form's good picture: ${good?.said ?? 'nothing'}`, isExpected: false, isBusy: false };
  return inputs.map(() => ({ ...spoiled, isAnswered: good?.isAnswered === true }));
}

async function uploadOnce(url: string, inputs: readonly Input[], agent: Agent): Promise<readonly Outcome[]> {
  try {
    return toOutcomes(await limit(post(url, inputs, agent)), inputs.length);
  } catch (thrown) {
    const outcome = { said: `no answer: ${toMessage(thrown)}`, isExpected: false, isBusy: false, isAnswered: false };
    return inputs.map(() => outcome);
  }
}

function post(url: string, inputs: readonly Input[], agent: Agent): Promise<Answer> {
  const [first] = inputs;
  if (first === undefined || inputs.length > 1) return postForm(url, inputs);
  return postRaw(url, first.bytes, { agent, headers: { 'Content-Type': `image/${first.format}` } });
}

async function limit<T>(running: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const timeout = delay(patienceMs, undefined, { signal: stop.signal }).then(() => {
    throw new Error(`nothing within ${String(patienceMs / 1000)} s`);
  });
  try {
    return await Promise.race([running, timeout]);
  } finally {
    timeout.catch(() => undefined);
    stop.abort();
  }
}

/** Returns what an answer says about each of `count` pictures. */
export function toOutcomes({ status, body }: Answer, count: number): readonly Outcome[] {
  if (status !== 200) return Array<Outcome>(count).fill(toErrorOutcome(status, body.code));
  const images = body.images ?? [];
  const missing = {
    said: `${String(images.length)} of ${String(count)} verdicts`,
    isExpected: false,
    isBusy: false,
    isAnswered: true,
  };
  if (images.length !== count) return Array<Outcome>(count).fill(missing);
  return images.map(({ error }) =>
    error === undefined
      ? { said: '200', isExpected: true, isBusy: false, isAnswered: true }
      : toErrorOutcome(error.status, error.code),
  );
}

function toErrorOutcome(status: number, code = ''): Outcome {
  const isRow = Object.hasOwn(errorTable, code) && errorTable[code as ErrorCode].status === status;
  const isBusy = isRow && busyCodes.has(code);
  // A refusal for lack of time is an answer, but not about the picture.
  const isExpected = isRow && (expectedCodes.has(code) || code === 'ERR_OVERLOADED');
  return { said: isExpected ? code : `${String(status)} ${code}`, isExpected, isBusy, isAnswered: true };
}
