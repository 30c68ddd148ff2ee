import type { Contender } from '../peers/contender.ts';

/** A figure, whose it is, and of which round. */
export type Placed<Figure> = Figure & { readonly contender: string; readonly round: number };

/** A participant in rounds. */
interface Entrant {
  readonly contender: Pick<Contender, 'name' | 'kind'>;
}

/** How rounds are played. */
export interface RoundOptions<Who extends Entrant, Figure> {
  readonly rounds: number;
  readonly measure: (who: Who, round: number) => Promise<Figure>;
  /** What the best Python peers have the most of. */
  readonly rank: (figure: Figure) => number;
  /** A peer that fails is left out from then on; this project's own failure ends the benchmark. */
  readonly onBroken: (name: string, reason: unknown) => void;
}

/** So many Python peers stay after the first round, so that there is time for more rounds. */
const finalists = 2;

/**
 * Measures all in turns, A B C, A B C …: the first round everybody, later ones this project, the naive Node service and
 * the best two Python peers of the first. Who begins changes with the rounds.
 */
export async function playRounds<Who extends Entrant, Figure extends object>(
  entrants: readonly Who[],
  { rounds, measure, rank, onBroken }: RoundOptions<Who, Figure>,
): Promise<Placed<Figure>[]> {
  const played: Placed<Figure>[] = [];
  const ranks = new Map<Who, number>();
  let field = [...entrants];
  for (let round = 0; round < rounds; round += 1) {
    const start = round % Math.max(1, field.length);
    for (const who of [...field.slice(start), ...field.slice(0, start)]) {
      try {
        const figure = await measure(who, round);
        played.push({ ...figure, contender: who.contender.name, round });
        if (round === 0) ranks.set(who, rank(figure));
      } catch (thrown) {
        if (who.contender.kind === 'own') throw thrown;
        onBroken(who.contender.name, thrown);
        field = field.filter((other) => other !== who);
      }
    }
    if (round === 0) field = keepFinalists(field, ranks);
  }
  return played;
}

function keepFinalists<Who extends Entrant>(field: readonly Who[], ranks: ReadonlyMap<Who, number>): Who[] {
  const best = field
    .filter(({ contender }) => contender.kind === 'python')
    .sort((a, b) => (ranks.get(b) ?? 0) - (ranks.get(a) ?? 0))
    .slice(0, finalists);
  return field.filter((who) => who.contender.kind !== 'python' || best.includes(who));
}
