import assert from 'node:assert/strict';
import test from 'node:test';
import { ReplayBuffer } from '../../src/train/learning/replay-buffer.ts';
import { type Round, toRounds, toStages } from '../../src/train/learning/schedule.ts';
import { createRandom } from '../../src/train/samples/random.ts';
import type { SampleSource } from '../../src/train/samples/sample-source.ts';

const half = { width: 64, height: 48 };
const whole = { width: 128, height: 96 };
const rounds = toRounds(
  [
    { size: half, batchSize: 8, freshSamples: 4, replaySamples: 20, rounds: 3 },
    { size: whole, batchSize: 6, freshSamples: 2, replaySamples: 6, rounds: 2 },
  ],
  16,
);

/** Samples with no more than number and size; each must be requested and taken once. */
function createSource(): SampleSource & { readonly widths: Map<number, number>; readonly got: number[] } {
  const widths = new Map<number, number>();
  const got: number[] = [];
  return {
    widths,
    got,
    request(index, { width }) {
      assert.ok(!widths.has(index), `${String(index)} is requested twice`);
      widths.set(index, width);
    },
    take(index) {
      assert.ok(widths.has(index), `${String(index)} was not requested`);
      assert.ok(!got.includes(index), `${String(index)} is taken twice`);
      got.push(index);
      const none = new Float32Array();
      return Promise.resolve({
        raster: Uint8Array.of(index, widths.get(index) ?? 0),
        targets: none,
        mapTargets: none,
      });
    },
    stop: () => Promise.resolve(),
  };
}

type Batch = readonly (readonly number[])[];

/** Draws the batches of all rounds from one on, as a training that resumes there. */
async function drawBatches(source: SampleSource, from: number): Promise<Batch[][]> {
  const replayBuffer = new ReplayBuffer(source);
  const drawn: Batch[][] = [];
  for (const [index, round] of rounds.entries()) {
    if (index < from) continue;
    await replayBuffer.startRound(round);
    const random = createRandom(9, -1 - index);
    const batches: Batch[] = [];
    for (let step = 0; step < round.steps; step += 1) {
      batches.push((await replayBuffer.drawBatch(random, round)).map(({ raster }) => [...raster]));
    }
    drawn.push(batches);
  }
  return drawn;
}

test('a_resumed_training_draws_the_batches_of_an_uninterrupted_one', async () => {
  const uninterrupted = await drawBatches(createSource(), 0);
  for (const from of rounds.keys()) {
    assert.deepEqual(await drawBatches(createSource(), from), uninterrupted.slice(from), `from round ${String(from)}`);
  }
});

test('every_sample_is_new_once_and_of_the_size_of_its_stage', async () => {
  const source = createSource();
  const drawn = await drawBatches(source, 0);
  const total = rounds.reduce((sum, { steps, stage }) => sum + steps * stage.freshSamples, 0);
  assert.deepEqual(source.got, [...Array(total).keys()]);
  assert.deepEqual([...source.widths.keys()], [...Array(total).keys()], 'no unused sample is requested');
  for (const [round, batches] of drawn.entries()) {
    const { stage, firstSample } = rounds[round] as Round;
    for (const [step, batch] of batches.entries()) {
      const fresh = firstSample + step * stage.freshSamples;
      const seen = fresh - (rounds[round]?.stageStart ?? 0);
      assert.equal(batch.length, Math.min(stage.batchSize, stage.freshSamples + seen));
      for (const [place, [index = -1, width]] of batch.entries()) {
        assert.equal(width, stage.size.width);
        if (place < stage.freshSamples) assert.equal(index, fresh + place);
        else assert.ok(index < fresh && index >= Math.max(fresh - stage.replaySamples, rounds[round]?.stageStart ?? 0));
      }
    }
  }
});

test('a_failed_sample_fails_the_batch', async () => {
  const source = { ...createSource(), take: () => Promise.reject(new Error('no picture')) };
  await assert.rejects(drawBatches(source, 0), /no picture/);
});

test('a_schedule_has_the_requested_rounds_and_ends_at_full_size', () => {
  for (const count of [2, 3, 7, 24]) {
    const laidOut = toRounds(toStages(count));
    assert.equal(laidOut.length, count);
    assert.equal(laidOut[0]?.stage.size.width, 320);
    assert.equal(laidOut.at(-1)?.stage.size.width, 640);
    for (const [index, { firstSample, steps, stage }] of laidOut.entries()) {
      assert.equal(firstSample, index * 1024);
      assert.equal(steps * stage.freshSamples, 1024);
    }
  }
});

test('the_learning_rate_starts_low_and_then_decays', () => {
  const [first = 0, ...rates] = toRounds(toStages(12)).map(({ rate }) => rate);
  assert.ok(first < (rates[0] ?? 0) / 2);
  assert.deepEqual(
    rates,
    [...rates].sort((a, b) => b - a),
  );
  assert.ok((rates.at(-1) ?? 0) > 0);
});
