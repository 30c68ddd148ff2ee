import assert from 'node:assert/strict';
import test from 'node:test';
import { playRounds } from '../../bench/versus/rounds.ts';

type Kind = 'own' | 'python' | 'node';
const speeds: Readonly<Record<string, readonly [Kind, number]>> = {
  own: ['own', 5],
  naive: ['node', 1],
  slow: ['python', 2],
  fast: ['python', 4],
  middling: ['python', 3],
};
const entrants = Object.entries(speeds).map(([name, [kind]]) => ({ contender: { name, kind } }));
const rank = ({ speed }: { speed: number }): number => speed;
const measure = ({ contender: { name } }: { contender: { name: string } }) =>
  Promise.resolve({ speed: speeds[name]?.[1] ?? NaN });

function failNever(): never {
  assert.fail('nobody fails here');
}

test('after_the_first_round_only_the_best_two_python_peers_go_on', async () => {
  const played = await playRounds(entrants, { rounds: 3, measure, rank, onBroken: failNever });
  const names = (round: number) => played.filter((figure) => figure.round === round).map(({ contender }) => contender);
  assert.deepEqual(names(0), ['own', 'naive', 'slow', 'fast', 'middling']);
  assert.deepEqual(names(1).toSorted(), ['fast', 'middling', 'naive', 'own']);
  assert.deepEqual(names(2).toSorted(), ['fast', 'middling', 'naive', 'own']);
});

test('who_begins_changes_with_the_rounds', async () => {
  const played = await playRounds(entrants, { rounds: 3, measure, rank, onBroken: failNever });
  const first = [0, 1, 2].map((round) => played.find((figure) => figure.round === round)?.contender);
  assert.equal(new Set(first).size, 3);
});

test('a_peer_that_fails_is_left_out_and_told_and_the_others_go_on', async () => {
  const broken: string[] = [];
  const played = await playRounds(entrants, {
    rounds: 2,
    measure: (who, round) =>
      who.contender.name === 'fast' && round === 1 ? Promise.reject(new Error('it died')) : measure(who),
    rank,
    onBroken: (name, reason) => broken.push(`${name}: ${String(reason)}`),
  });
  assert.deepEqual(broken, ['fast: Error: it died']);
  assert.equal(played.filter(({ contender }) => contender === 'fast').length, 1);
  assert.equal(played.filter(({ contender }) => contender === 'own').length, 2);
});

test('a_failure_of_this_project_ends_the_benchmark', async () => {
  const failing = playRounds(entrants, {
    rounds: 1,
    measure: (who) => (who.contender.kind === 'own' ? Promise.reject(new Error('ours')) : measure(who)),
    rank,
    onBroken: () => undefined,
  });
  await assert.rejects(failing, /ours/);
});
