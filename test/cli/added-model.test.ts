import assert from 'node:assert/strict';
import test from 'node:test';
import { describeAdded } from '../../src/cli/added-model.ts';
import { toManifest } from '../../src/model/manifest.ts';
import type { AddedModel } from '../../src/model-import/add-model.ts';

function toAdded(parts: Partial<AddedModel> & { readonly scale?: number }): AddedModel {
  const manifest = toManifest(
    JSON.stringify({
      format: 'tfjs-layers',
      input: { width: 8, height: 8, resize: 'stretch', normalise: { scale: parts.scale ?? 1, offset: 0 } },
      output: { kind: 'multi-label', labels: ['a', 'b'] },
      policy: { a: { review: 0.5 } },
      files: {},
    }),
  );
  return {
    model: { name: 'mine', version: '1', dir: '/models/mine/1', manifest },
    found: { format: 'tfjs-layers', files: [] },
    network: { inputs: [], outputs: [] },
    outcome: { kind: 'refused', reason: 'no batches' },
    guessed: { labels: false, normalise: false },
    isKnown: false,
    ...parts,
  };
}

test('nothing_is_left_to_look_at_where_all_is_said', () => {
  assert.doesNotMatch(describeAdded(toAdded({})), /To look at/);
});

test('a_network_whose_answers_are_random_is_told', () => {
  const reason = 'RngReadAndSkip model/random_zoom changes or uses a variable other than by reading it';
  const text = describeAdded(toAdded({ outcome: { kind: 'refused', reason } }));
  assert.match(text, /^- the network draws random numbers, .*: export it with training=False$/m);
});

test('a_scaling_on_top_of_the_networks_own_is_told', () => {
  const network = { inputs: [], outputs: [], scaling: 'rescaling' };
  assert.match(describeAdded(toAdded({ network })), /^scaling +by the network itself: rescaling$/m);
  assert.doesNotMatch(describeAdded(toAdded({ network })), /To look at/);
  const twice = describeAdded(toAdded({ network, scale: 0.5 }));
  assert.match(twice, /^- the network scales 0…255 itself \(rescaling\), and --scale or --offset scale before that/m);
});
