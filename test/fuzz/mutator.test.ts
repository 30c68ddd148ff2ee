import assert from 'node:assert/strict';
import test from 'node:test';
import { listChunks } from '../../fuzz/chunks.ts';
import { makeInput, makeInputs } from '../../fuzz/corpus.ts';
import { drawSeeds, formats } from '../../fuzz/seeds.ts';
import { sniffFormat } from '../../src/image/sniff.ts';

const seeds = await drawSeeds();

test('every_seed_is_a_picture_of_its_format_and_has_chunks_to_mutate', () => {
  for (const format of formats) {
    for (const [index, seed] of seeds[format].entries()) {
      const about = `${format} ${String(index)}`;
      assert.equal(sniffFormat(seed), format, about);
      assert.ok(listChunks(seed, format).length >= 1, about);
    }
  }
});

test('the_same_seed_makes_the_same_inputs_another_one_others', () => {
  for (const format of formats) {
    const once = makeInput(seeds, 1, format, 7);
    assert.deepEqual(makeInput(seeds, 1, format, 7), once);
    assert.notDeepEqual(makeInput(seeds, 2, format, 7).bytes, once.bytes);
  }
});

test('every_input_differs_from_all_seeds_and_nearly_all_from_each_other', () => {
  for (const format of formats) {
    const unchanged = new Set(seeds[format].map((seed) => seed.toString('latin1')));
    const inputs = Array.from({ length: 300 }, (_, number) =>
      makeInput(seeds, 3, format, number).bytes.toString('latin1'),
    );
    assert.deepEqual(
      inputs.flatMap((input, number) => (unchanged.has(input) ? [number] : [])),
      [],
      format,
    );
    assert.ok(new Set(inputs).size > 280, `${format}: ${String(new Set(inputs).size)} of 300 differ`);
  }
});

test('inputs_keep_to_the_wanted_counts_and_their_order_does_not_change_them', () => {
  const counts = { jpeg: 12, png: 3, webp: 3, gif: 3, avif: 3, tiff: 3 };
  const inputs = [...makeInputs(seeds, 5, counts)];
  for (const format of formats) {
    assert.equal(inputs.filter((input) => input.format === format).length, counts[format], format);
  }
  const more = [...makeInputs(seeds, 5, { ...counts, jpeg: 20 })];
  const known = new Map(more.map(({ name, bytes }) => [name, bytes]));
  for (const { name, bytes } of inputs) assert.deepEqual(known.get(name), bytes, name);
});

test('empty_and_tiny_pictures_are_mutated_too', () => {
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from([0xff]),
    Buffer.from('GIF8'),
    Buffer.from('II*\0\xff\xff', 'latin1'),
  ]) {
    for (const format of formats) {
      for (let number = 0; number < 200; number += 1) {
        const { bytes: mutated } = makeInput({ ...seeds, [format]: [bytes] }, 1, format, number);
        assert.ok(!mutated.equals(bytes), `${format} ${String(number)} of ${bytes.toString('hex')}`);
      }
    }
  }
});
