import { AggregatorRegistry, prometheusContentType, type Registry } from 'prom-client';
import { z } from 'zod';
import { type MetricFamily, metricFamily } from '../ipc/messages.ts';

const families = z.array(metricFamily);

/** The content type of an exposition. */
export const expositionContentType: string = prometheusContentType;

/** Merges the families of several processes into one exposition in Prometheus' text format. */
export function mergeMetrics(sources: readonly (readonly MetricFamily[])[]): Promise<string> {
  return aggregate(sources).metrics();
}

/** What dead workers counted, so that no total falls when one dies. */
export class RetiredMetrics {
  #families: readonly MetricFamily[] = [];

  get families(): readonly MetricFamily[] {
    return this.#families;
  }

  /** Adds the last counters and histograms of a worker that is gone; its gauges vanish with it. */
  add(last: readonly MetricFamily[]): void {
    const kept = last.filter((family) => ['counter', 'histogram'].includes(family.type));
    this.#families = families.parse(aggregate([this.#families, kept]).getMetricsAsArray());
  }
}

/** Omits the gauges that describe one process: while a slot has two workers, they are the current one's. */
export function toSharedFamilies(source: readonly MetricFamily[]): MetricFamily[] {
  return source.filter(
    (family) => family.type !== 'gauge' || family.values.every(({ labels }) => !('worker' in labels)),
  );
}

function aggregate(sources: readonly (readonly MetricFamily[])[]): Registry {
  return AggregatorRegistry.aggregate(sources.map((source) => source.map(toAggregable)));
}

/** prom-client omits a process's start time from sums; with a worker label there is nothing to sum. */
function toAggregable(family: MetricFamily): MetricFamily {
  return family.aggregator === 'omit' ? { ...family, aggregator: 'first' } : family;
}
