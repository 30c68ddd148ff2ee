import { collectDefaultMetrics, Registry } from 'prom-client';

// promtool's linter refuses gauges named _total; Node has deprecated the two lists behind handles and requests.
const unwanted = [
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/**
 * Creates the metrics of this process: CPU, memory, garbage collection, event loop.
 * @param worker the slot, or `primary`; a label of every metric, so that nothing is summed over processes.
 */
export function createProcessMetrics(worker: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of unwanted) registry.removeSingleMetric(name);
  registry.setDefaultLabels({ worker });
  return registry;
}
