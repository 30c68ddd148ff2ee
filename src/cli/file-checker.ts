import { Registry } from 'prom-client';
import { z } from 'zod';
import type { Config } from '../config/schema.ts';
import { noDeadline } from '../deadline.ts';
import { type ErrorCode, ServiceError, toMessage } from '../errors.ts';
import { createLogger } from '../log.ts';
import { createWorkerMetrics } from '../metrics/catalogue.ts';
import { prepareEngine } from './engine.ts';
import type { Picture } from './pictures.ts';

const verdict = z.enum(['accept', 'review', 'reject']);
const labelResult = z.looseObject({ label: z.string(), score: z.number(), verdict });
const ruleResult = z.looseObject({ rule: z.string(), limit: z.unknown(), actual: z.unknown(), verdict });
const imageResult = z.looseObject({
  verdict,
  rules: z.array(ruleResult).optional(),
  checks: z.array(z.looseObject({ model: z.string(), labels: z.array(labelResult) })),
});
const answer = z.looseObject({ images: z.tuple([imageResult]) });
const problem = z.looseObject({ code: z.string(), detail: z.string() });

/** One picture's outcome on the command line. */
export type Checked =
  | ({ readonly name: string } & z.infer<typeof imageResult>)
  | {
      readonly name: string;
      readonly verdict: 'error';
      readonly error: { readonly code: string; readonly detail: string };
    };

/** Options that apply to every picture. */
export interface Asked {
  /** Empty for `check.models`. */
  readonly models: readonly string[];
  /** Profiles of picture rules; empty for the one named `default`. */
  readonly rules: readonly string[];
  /** Undefined for `check.policy`. */
  readonly policy: string | undefined;
  /** Whether to include the maps of flagged labels. */
  readonly explain: boolean;
}

/** Checks one picture; never throws. */
export type FileChecker = (picture: Picture) => Promise<Checked>;

/** Checks in this process, with the best engine of this machine. */
export async function createLocalChecker(config: Config, asked: Asked): Promise<FileChecker> {
  const { engine } = await prepareEngine(config.model.engine);
  const { createServices } = await import('../worker/composition-root.ts');
  const log = createLogger({ level: 'error', format: 'pretty' }, {});
  const metrics = createWorkerMetrics(new Registry());
  const { checkService } = createServices({ config, engine, metrics, log });
  return (picture) =>
    toChecked(picture, async (bytes) => {
      const deadlineAt = performance.now() + config.supervisor.loadTimeoutMs + config.check.deadlineMs;
      const images = [{ name: picture.name, bytes }];
      const request = { ...noDeadline, ...asked, requestId: picture.name, images, deadlineAt };
      const result = await checkService.check(request);
      const [image] = result.images;
      if (image?.kind !== 'checked') throw image?.error ?? new Error('no image');
      const { verdict, image: facts, rules, checks } = image;
      return imageResult.parse({ verdict, image: facts, ...(rules && { rules }), checks });
    });
}

/** Checks over HTTP with the service at `server`. */
export function createRemoteChecker(server: string, { models, rules, policy, explain }: Asked): FileChecker {
  const url = new URL('/v1/check', server);
  if (models.length > 0) url.searchParams.set('model', models.join(','));
  if (rules.length > 0) url.searchParams.set('rules', rules.join(','));
  if (policy !== undefined) url.searchParams.set('policy', policy);
  if (explain) url.searchParams.set('explain', '1');
  return (picture) =>
    toChecked(picture, async (bytes) => {
      const form = new FormData();
      form.append('image', new Blob([bytes.slice()]), picture.name);
      const response = await fetch(url, { method: 'POST', body: form });
      const body: unknown = await response.json();
      if (response.ok) return answer.parse(body).images[0];
      const { code, detail } = problem.parse(body);
      throw new ServiceError(code as ErrorCode, detail);
    });
}

async function toChecked(
  picture: Picture,
  check: (bytes: Uint8Array) => Promise<z.infer<typeof imageResult>>,
): Promise<Checked> {
  const { name } = picture;
  try {
    return { name, ...(await check(await picture.read())) };
  } catch (thrown) {
    const known = thrown instanceof ServiceError ? { code: thrown.code, detail: thrown.detail } : undefined;
    const detail =
      thrown instanceof Error && thrown.cause instanceof Error
        ? `${thrown.message}: ${thrown.cause.message}`
        : toMessage(thrown);
    return { name, verdict: 'error', error: known ?? { code: 'ERR_CLIENT', detail } };
  }
}
