// Which rule keeps waits short when more pictures come than can be checked? Simulates one worker on recorded service times.
import { createRandom } from '../../src/train/samples/random.ts';
import { toMedian, toQuantile } from '../statistics.ts';
import {
  createAdaptiveLifoRule,
  createAdmissionRule,
  createCoDelRule,
  createGradientRule,
  createLengthRule,
} from './rules.ts';
import { loadServiceTimes, type ServiceTimes } from './service-times.ts';
import { type Outcome, type Rule, SimulatedWorker, type Source } from './worker.ts';

const runMs = 240_000;
const warmUpMs = 40_000;
const slowFactor = 3;
const burst = 64;
const clients = 64;

const rules: Readonly<Record<string, () => Rule>> = {
  'bounded length': () => createLengthRule(),
  'CoDel 100/500 ms': () => createCoDelRule(100, 500),
  'CoDel 20/100 ms': () => createCoDelRule(20, 100),
  'adaptive LIFO 100/500 ms': () => createAdaptiveLifoRule(100, 500),
  'gradient limit': createGradientRule,
  admission: createAdmissionRule,
};

let clockMs = 0;
performance.now = () => clockMs;

const recorded = loadServiceTimes();
report('recorded service times', recorded);
report(`${String(slowFactor)} times the service times`, {
  decodes: recorded.decodes.map((ms) => ms * slowFactor),
  batches: recorded.batches.map((times) => times.map((ms) => ms * slowFactor)),
});

function report(title: string, times: ServiceTimes): void {
  const capacity = toRate(simulate(times, createLengthRule, createClients(times.batches.length * 4)));
  console.log(`${title}: ${(capacity * 1000).toFixed(1)} pictures a second are what one worker can do`);
  const rows = Object.entries(rules).map(([name, createRule]) => [name, toRow(times, createRule, capacity)] as const);
  console.table(Object.fromEntries(rows));
}

function toRow(times: ServiceTimes, createRule: () => Rule, capacity: number): Record<string, string> {
  const at = (load: number): Outcome[] => simulate(times, createRule, createPoisson(load * capacity));
  const normal = at(0.9);
  const p99Ms = toQuantile(listAccepted(normal), 0.99);
  const describe = (outcomes: Outcome[]): string => {
    const waits = listAccepted(outcomes);
    const p99 = toQuantile(waits, 0.99);
    return `${toMedian(waits).toFixed(0)} / ${p99.toFixed(0)} = ${(p99 / p99Ms).toFixed(1)} ×`;
  };
  const over = at(3);
  const refusals = over.filter(({ isRefused }) => isRefused).map(({ tookMs }) => tookMs);
  return {
    '0.9: p50 / p99, ms': describe(normal),
    'refused, %': toRefused(normal),
    '1.2: p50 / p99': describe(at(1.2)),
    '3: p50 / p99': describe(over),
    'of capacity': (toRate(over) / capacity).toFixed(2),
    'refusal p50': toMedian(refusals).toFixed(0),
    [`burst of ${String(burst)} refused`]: String(countRefused(simulate(times, createRule, createBurst()))),
    [`${String(clients)} clients refused, %`]: toRefused(simulate(times, createRule, createClients(clients))),
  };
}

function simulate(times: ServiceTimes, createRule: () => Rule, source: Source): Outcome[] {
  clockMs = 0;
  const worker = new SimulatedWorker(times, createRule(), createRandom(7));
  worker.run(source, runMs, (nowMs) => {
    clockMs = nowMs;
  });
  return worker.outcomes;
}

/** Pictures of people who know nothing of one another. @param perMs how many come */
function createPoisson(perMs: number): Source {
  const random = createRandom(11);
  const toPause = (): number => -Math.log(1 - random()) / perMs;
  let nextAt = toPause();
  return {
    nextAt: () => nextAt,
    take: () => {
      nextAt += toPause();
    },
    noteOver: () => undefined,
  };
}

function createBurst(): Source {
  let left = burst;
  return {
    nextAt: () => (left > 0 ? warmUpMs : Infinity),
    take: () => {
      left -= 1;
    },
    noteOver: () => undefined,
  };
}

/** Clients that wait for an answer before they send the next picture, and a second after a refusal. */
function createClients(count: number): Source {
  const due = Array.from({ length: count }, (_, index) => index);
  return {
    nextAt: () => Math.min(...due),
    take: () => {
      due.splice(due.indexOf(Math.min(...due)), 1);
    },
    noteOver: ({ isRefused }, nowMs) => {
      due.push(nowMs + (isRefused ? 1000 : 0));
    },
  };
}

function isLate({ picture }: Outcome): boolean {
  return picture.arrivedAt >= warmUpMs;
}

function listAccepted(outcomes: readonly Outcome[]): number[] {
  return outcomes.filter((outcome) => isLate(outcome) && !outcome.isRefused).map(({ tookMs }) => tookMs);
}

function countRefused(outcomes: readonly Outcome[]): number {
  return outcomes.filter((outcome) => isLate(outcome) && outcome.isRefused).length;
}

function toRefused(outcomes: readonly Outcome[]): string {
  return ((100 * countRefused(outcomes)) / outcomes.filter(isLate).length).toFixed(1);
}

/** Verdicts a ms. */
function toRate(outcomes: readonly Outcome[]): number {
  const first = outcomes.filter(({ isRefused }) => !isRefused);
  const done = first.filter(({ picture, tookMs }) => picture.arrivedAt + tookMs >= warmUpMs);
  return done.length / (runMs - warmUpMs);
}
