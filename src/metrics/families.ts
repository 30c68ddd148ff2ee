import type { Registry } from 'prom-client';
import { type MetricFamily, metricFamily } from '../ipc/messages.ts';

/** Collects what the registries hold now, ready to be pushed or merged. */
export async function collectFamilies(...registries: readonly Registry[]): Promise<MetricFamily[]> {
  const collected = await Promise.all(registries.map((registry) => registry.getMetricsAsJSON()));
  return collected.flat().map((family) => metricFamily.parse({ ...family, values: family.values.filter(isMeasured) }));
}

/** The event loop's lag is NaN as long as nothing was measured: no sample, then. */
function isMeasured({ value }: { readonly value: number }): boolean {
  return Number.isFinite(value);
}
