import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import sharp from 'sharp';
import { makePhoto } from '../test/fixtures/pictures.ts';
import { postForm, postRaw } from '../test/fixtures/uploads.ts';

/** What a request came to: its kind, and what was answered as far as that was not expected of the kind. */
export interface Outcome {
  readonly kind: string;
  readonly unexpected: string | undefined;
}

/** Photographs as they are, and smaller ones of the same. */
export async function loadPhotos(dir: string | undefined): Promise<readonly Buffer[]> {
  const originals =
    dir === undefined
      ? await Promise.all([makePhoto(1), makePhoto(2, 1600, 1200), makePhoto(3, 3000, 2000)])
      : readdirSync(dir)
          .filter((name) => /\.(jpe?g|png|webp)$/i.test(name))
          .map((name) => readFileSync(path.join(dir, name)));
  const photos: Buffer[] = [];
  for (const original of originals) {
    photos.push(original);
    for (const width of [160, 800]) photos.push(await sharp(original).resize({ width }).jpeg().toBuffer());
  }
  return photos;
}

interface Kind {
  readonly name: string;
  /** Of a hundred requests. */
  readonly percent: number;
  /** What must be answered; an upload that is aborted gets no answer. */
  readonly status: number | undefined;
  readonly send: (url: string, pick: () => Buffer, agent: Agent) => Promise<number | undefined>;
}

const kinds: readonly Kind[] = [
  { name: 'raw', percent: 50, status: 200, send: (url, pick, agent) => sendRaw(url, pick(), agent) },
  { name: 'raw, own connection', percent: 10, status: 200, send: (url, pick) => sendRaw(url, pick()) },
  { name: 'form of one', percent: 10, status: 200, send: (url, pick) => sendForm(url, [pick()]) },
  {
    name: 'form of four',
    percent: 14,
    status: 200,
    send: (url, pick) => sendForm(url, [pick(), pick(), pick(), pick()]),
  },
  {
    name: 'form with a broken one',
    percent: 4,
    status: 200,
    send: (url, pick) => sendForm(url, [pick(), cut(pick())]),
  },
  { name: 'cut off', percent: 4, status: 422, send: (url, pick, agent) => sendRaw(url, cut(pick()), agent) },
  { name: 'no image', percent: 2, status: 415, send: (url, pick, agent) => sendRaw(url, pick().subarray(100), agent) },
  { name: 'empty', percent: 1, status: 400, send: (url, _pick, agent) => sendRaw(url, Buffer.alloc(0), agent) },
  { name: 'aborted', percent: 5, status: undefined, send: (url, pick) => abort(url, pick()) },
];

/** Sends one request, of a kind and with photographs that chance decides. */
export async function sendAny(
  url: string,
  photos: readonly Buffer[],
  agent: Agent,
  random: () => number,
): Promise<Outcome> {
  const pick = (): Buffer => photos[Math.floor(random() * photos.length)] ?? Buffer.alloc(0);
  const kind = pickKind(random() * 100);
  try {
    const status = await kind.send(url, pick, agent);
    return { kind: kind.name, unexpected: status === kind.status ? undefined : String(status) };
  } catch (thrown) {
    return { kind: kind.name, unexpected: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

function pickKind(chance: number): Kind {
  let passed = 0;
  for (const kind of kinds) {
    passed += kind.percent;
    if (chance < passed) return kind;
  }
  throw new Error('the shares are no hundred');
}

async function sendRaw(url: string, bytes: Buffer, agent?: Agent): Promise<number> {
  return (await postRaw(url, bytes, agent === undefined ? {} : { agent })).status;
}

async function sendForm(url: string, photos: readonly Buffer[]): Promise<number> {
  const files = photos.map((bytes, index) => ({ name: `photo-${String(index)}`, bytes }));
  return (await postForm(url, files)).status;
}

function cut(photo: Buffer): Buffer {
  return photo.subarray(0, photo.length / 2);
}

/** Goes away in the middle of an upload. */
async function abort(url: string, bytes: Buffer): Promise<undefined> {
  const headers = { 'Content-Type': 'image/jpeg', 'Content-Length': String(bytes.length) };
  const sent = request(`${url}/v1/check`, { method: 'POST', agent: new Agent(), headers });
  sent.on('error', () => undefined);
  sent.write(cut(bytes));
  await delay(20);
  sent.destroy();
}
