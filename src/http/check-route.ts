import { ServiceError } from '../errors.ts';
import type { Answer } from './answer.ts';
import { type Asked, toAsked, toCheckOptions } from './check-options.ts';
import type { HttpDependencies } from './dependencies.ts';
import type { Exchange } from './exchange.ts';
import type { RouteHandler } from './route.ts';
import { createUploadReader, type Upload } from './upload/upload.ts';
import { toUploadPlan } from './upload/upload-plan.ts';
import { toVerdictAnswer, toVerdictVariables } from './verdict-answer.ts';

/** Creates the handler of `POST /v1/check`, which refuses as much as possible before reading the body. */
export function createCheckHandler(dependencies: HttpDependencies): RouteHandler {
  const { config, byteBudget } = dependencies;
  const readUpload = createUploadReader(config.upload);
  return async (exchange) => {
    if (dependencies.draining() === 'shutdown') {
      throw new ServiceError('ERR_DRAINING', 'the service is shutting down');
    }
    const plan = toUploadPlan(exchange.request.headers, config.upload);
    const options = toCheckOptions(exchange.request, config.check.deadlineMs);
    dependencies.checkService.assertRoom(performance.now() + options.timeoutMs, plan.mayBeJpeg);
    const permit = byteBudget.open(plan.permitBytes);
    try {
      const upload = await readUpload(exchange, plan, permit);
      dependencies.metrics.stepDuration.observe({ step: 'upload' }, upload.uploadMs / 1000);
      const asked = toAsked(options.query, upload.fields);
      return await answerUpload(dependencies, exchange, upload, {
        ...asked,
        deadlineAt: upload.receivedAt + options.timeoutMs,
      });
    } finally {
      permit.release();
    }
  };
}

/** The options of an upload and its deadline. */
interface Wanted extends Asked {
  readonly deadlineAt: number;
}

async function answerUpload(
  { checkService, identity }: HttpDependencies,
  { requestId, clientGone, logVariables }: Exchange,
  { images, uploadMs }: Upload,
  wanted: Wanted,
): Promise<Answer> {
  const result = await checkService.check({ ...wanted, requestId, images, signal: clientGone.signal });
  for (const [name, value] of toVerdictVariables(result, uploadMs)) logVariables.set(name, value);
  return toVerdictAnswer(result, { requestId, worker: identity, uploadMs });
}
