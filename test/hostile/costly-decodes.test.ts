import assert from 'node:assert/strict';
import test from 'node:test';
import { drawCostly, drawWide, enlargeAvif } from '../fixtures/costly-pictures.ts';
import { measureResources, type Resources } from '../fixtures/resources.ts';
import type { startRunningLoad } from '../fixtures/running-load.ts';
import { type Service, startService } from '../fixtures/service.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { attackBesidePolite, type NamedPicture, uploadAll } from './attack.ts';

const mebibyte = 2 ** 20;

/** Looks again and again at what each process holds; what it returns ends that and gives the most that each grew by. */
async function measurePeaks(service: Service): Promise<() => Promise<number[]>> {
  const before: readonly Resources[] = await measureResources(service);
  const peaks = new Map<number, number>();
  let isOver = false;
  const measuring = waitFor(
    async () => {
      for (const { pid, privateBytes } of await measureResources(service)) {
        const grown = privateBytes - (before.find((resources) => resources.pid === pid)?.privateBytes ?? 0);
        peaks.set(pid, Math.max(peaks.get(pid) ?? 0, grown));
      }
      return isOver;
    },
    'the attack is over',
    120_000,
  );
  return async () => {
    isOver = true;
    await measuring;
    return [...peaks.values()];
  };
}

interface Attack {
  readonly service: Service;
  readonly pictures: readonly NamedPicture[];
  readonly expected: RegExp;
  readonly maxGrowth: number;
}

async function attackWithin(
  context: Parameters<typeof startRunningLoad>[0],
  { service, pictures, expected, maxGrowth }: Attack,
): Promise<void> {
  await attackBesidePolite(context, service, async () => {
    const stopMeasuring = await measurePeaks(service);
    const answers = await uploadAll(service.url, pictures, 1);
    const peaks = await stopMeasuring();
    console.log(`${peaks.map((bytes) => Math.round(bytes / mebibyte)).join(', ')} MiB more in each process`);
    for (const answer of answers) assert.match(answer, expected);
    for (const grown of peaks) assert.ok(grown < maxGrowth, `${String(grown)} bytes more`);
  });
}

test('pictures_that_need_more_memory_than_is_configured_are_refused_by_their_headers', async (context) => {
  const small = await drawCostly(64);
  const pictures = [
    ['avif', enlargeAvif(small.get('avif') ?? Buffer.alloc(0), 7000)],
    ['png', await drawWide()],
  ] as const;
  await attackWithin(context, {
    service: await startService(context),
    pictures: [...pictures, ...pictures, ...pictures],
    expected: / 422 ERR_IMAGE_TOO_COSTLY$/,
    maxGrowth: 150 * mebibyte,
  });
});

test('decodes_of_a_worker_share_the_memory_that_is_configured', async (context) => {
  const maxDecodeBytes = 96 * mebibyte;
  const settings = [`image.maxDecodeBytes=${String(maxDecodeBytes)}`, 'image.decodeTimeoutMs=60000'];
  const args = [...settings, 'check.deadlineMs=60000'].flatMap((setting) => ['--set', setting]);
  await attackWithin(context, {
    service: await startService(context, { args }),
    // The AVIF needs most of it.
    pictures: [...(await drawCostly(1300))],
    expected: / 200 $/,
    maxGrowth: maxDecodeBytes + 64 * mebibyte,
  });
});
