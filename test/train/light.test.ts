import assert from 'node:assert/strict';
import test from 'node:test';
import { toLight, toLightValue, toLuma, toPicture, toValue } from '../../src/train/samples/light.ts';

test('srgb_values_survive_the_round_trip_through_light', () => {
  const pixels = Uint8Array.from({ length: 258 }, (_, at) => Math.min(at, 255));
  const picture = { pixels, width: 86, height: 1 };
  assert.deepEqual(toPicture(toLight(picture)), picture);
  for (let value = 0; value < 256; value += 1) assert.equal(toValue(toLightValue(value)), value);
});

test('light_follows_the_srgb_standard', () => {
  assert.equal(toLightValue(0), 0);
  assert.equal(toLightValue(255), 1);
  assert.ok(Math.abs(toLightValue(188) - 0.5029) < 1e-4, 'half of the light is 188, not 128');
  assert.equal(toValue(0.5), 188);
});

test('light_out_of_range_is_clipped', () => {
  assert.deepEqual([-1, 1.0001, 40].map(toValue), [0, 255, 255]);
});

test('luma_weights_green_most', () => {
  const of = (...rgb: readonly number[]) => toLuma(Uint8Array.from([0, 0, 0, ...rgb]), 3);
  assert.equal(of(255, 255, 255), 255);
  assert.ok(of(0, 255, 0) > of(255, 0, 0) && of(255, 0, 0) > of(0, 0, 255));
});
