import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { createLogMetrics, type DroppedLines } from './log-metrics.ts';

const requestSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const stepSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const loadSeconds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const batchSizes = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** Creates a worker's metrics; the primary sums them over workers. */
export function createWorkerMetrics(registry: Registry, droppedLines: DroppedLines = {}) {
  createLogMetrics(registry, droppedLines);
  return { ...createRequestMetrics([registry]), ...createModelMetrics([registry]) };
}

export type WorkerMetrics = ReturnType<typeof createWorkerMetrics>;

function createRequestMetrics(registers: Registry[]) {
  return {
    httpRequests: new Counter({
      name: 'image_check_http_requests_total',
      help: 'Responses, by route, method and status code.',
      labelNames: ['route', 'method', 'code'] as const,
      registers,
    }),
    requestDuration: new Histogram({
      name: 'image_check_request_duration_seconds',
      help: 'Time from the first byte of a request to the last byte of its response.',
      labelNames: ['route'] as const,
      buckets: requestSeconds,
      registers,
    }),
    stepDuration: new Histogram({
      name: 'image_check_step_duration_seconds',
      help: 'Time that one image spends in one step: upload, decode, queue, inference.',
      labelNames: ['step'] as const,
      buckets: stepSeconds,
      registers,
    }),
    errors: new Counter({
      name: 'image_check_errors_total',
      help: 'Error responses and failed images, by code.',
      labelNames: ['error'] as const,
      registers,
    }),
    inFlight: new Gauge({
      name: 'image_check_in_flight',
      help: 'Requests in flight.',
      registers,
    }),
  };
}

function createModelMetrics(registers: Registry[]) {
  return {
    inferenceDuration: new Histogram({
      name: 'image_check_inference_duration_seconds',
      help: 'Inference time of one batch.',
      labelNames: ['model', 'version', 'engine'] as const,
      buckets: stepSeconds,
      registers,
    }),
    batchSize: new Histogram({
      name: 'image_check_batch_size',
      help: 'Images per inference batch.',
      labelNames: ['model'] as const,
      buckets: batchSizes,
      registers,
    }),
    checks: new Counter({
      name: 'image_check_checks_total',
      help: 'Verdicts, one for each image and model.',
      labelNames: ['model', 'verdict'] as const,
      registers,
    }),
    labels: new Counter({
      name: 'image_check_labels_total',
      help: 'Labels that reached their review or reject threshold.',
      labelNames: ['model', 'label'] as const,
      registers,
    }),
    rules: new Counter({
      name: 'image_check_rules_total',
      help: 'Evaluated image rules, and too_small for each model that returned no labels.',
      labelNames: ['rule', 'verdict'] as const,
      registers,
    }),
    queueDepth: new Gauge({
      name: 'image_check_queue_depth',
      help: 'Images queued for inference.',
      registers,
    }),
    modelLoad: new Histogram({
      name: 'image_check_model_load_seconds',
      help: 'Time to load a model, warm-up and golden images included.',
      labelNames: ['model'] as const,
      buckets: loadSeconds,
      registers,
    }),
  };
}
