import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { makePhoto, makePlain } from '../fixtures/pictures.ts';
import { startService } from '../fixtures/service.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import type { VerdictBody } from '../fixtures/uploads.ts';

const run = promisify(execFile);

/** File names that forms get wrong. */
export const oddNames = { utf8: 'фото 写真.jpg', quoted: 'a "quoted" name.jpg', spaces: 'with some spaces.jpg' };
/** What the client programs call their pictures. */
export const plainNames = ['one.jpg', 'two.jpg'];
/** What the service calls pictures that come without a name. */
export const noNames = ['upload', 'upload'];

/** By way of sending: the names of the judged pictures, or the code of the refusal or how it begins. */
export type ExpectedAnswers = Readonly<Record<string, readonly string[] | string>>;

/** A running service, and a folder with pictures for clients to send. */
export interface ClientTarget {
  readonly url: string;
  readonly pictureDir: string;
  /** Bytes of the first and of the second picture of each form. */
  readonly sizes: readonly number[];
}

/** Starts a service with one quick model, and writes the pictures: one of a single packet, one of many. */
export async function startClientTarget(context: Pick<TestContext, 'after'>): Promise<ClientTarget> {
  const modelsDir = makeTempDir(context);
  await writeColourModel(modelsDir, { name: 'quality' });
  const args = ['--workers', '1', '--models', modelsDir, '--engine', 'wasm'];
  // Loaded before it listens: on a busy machine the first form would meet its deadline.
  const { url } = await startService(context, { args, environment: { IMAGE_CHECK_MODEL_LOAD: 'eager' } });
  const pictureDir = makeTempDir(context);
  const [one, two] = [await makePlain(90, 40, 30), await makePhoto()];
  for (const name of ['one.jpg', oddNames.utf8, oddNames.spaces]) writeFileSync(path.join(pictureDir, name), one);
  for (const name of ['two.jpg', oddNames.quoted]) writeFileSync(path.join(pictureDir, name), two);
  return { url, pictureDir, sizes: [one.length, two.length] };
}

/** The path of a client program in this folder. */
export function toProgramPath(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

interface PrintedAnswer {
  readonly way: string;
  readonly status: number;
  readonly body: string;
}

/** Runs a client program, which prints one JSON line for each way of sending, and holds each against what is expected. */
export async function assertProgram(
  context: TestContext,
  target: ClientTarget,
  [command, ...args]: readonly [string, ...string[]],
  expected: ExpectedAnswers,
): Promise<void> {
  const { stdout } = await run(command, [...args, target.url, target.pictureDir], { maxBuffer: 1 << 24 });
  const printed = stdout.trim().split('\n');
  const answers = printed.map((line) => JSON.parse(line) as PrintedAnswer);
  assert.deepEqual(answers.map(({ way }) => way).sort(), Object.keys(expected).sort(), 'every way, and no other');
  for (const answer of answers) {
    await context.test(answer.way, () => {
      assertAnswer(answer, expected[answer.way] ?? [], target.sizes);
    });
  }
}

/** Asserts verdicts on these very pictures, or the refusal that is expected. */
export function assertAnswer(
  { status, body }: Omit<PrintedAnswer, 'way'>,
  expected: readonly string[] | string,
  sizes: readonly number[],
): void {
  const parsed = JSON.parse(body) as VerdictBody;
  if (typeof expected === 'string') {
    assert.ok(parsed.code?.startsWith(expected), body);
    assert.ok(status >= 400);
    return;
  }
  assert.equal(status, 200, body);
  const images = parsed.images ?? [];
  assert.ok(
    images.every(({ checks }) => checks?.length === 1),
    body,
  );
  // Where a client sends one picture only, it is the second.
  assert.deepEqual(
    images.map(({ image }) => image?.bytes),
    sizes.slice(-expected.length),
  );
  assert.deepEqual(
    images.map(({ name }) => name),
    expected,
  );
}
