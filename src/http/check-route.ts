import { ServiceError } from '../errors.ts';
import type { Answer } from './answer.ts';
import { toCheckOptions, toExplain, toModelNames } from './check-options.ts';
import type { HttpDependencies } from './dependencies.ts';
import type { Exchange } from './exchange.ts';
import type { RouteHandler } from './route.ts';
import { createUploadReader, type Upload } from './upload/upload.ts';
import { toUploadPlan } from './upload/upload-plan.ts';
import { toVerdictAnswer, toVerdictVariables } from './verdict-answer.ts';

/** Creates the handler of `POST /v1/check`: what can be refused is refused before the body is read. */
export function createCheckHandler(dependencies: HttpDependencies): RouteHandler {
  const { config, byteBudget } = dependencies;
  const readUpload = createUploadReader(config.upload);
  return async (exchange) => {
    if (dependencies.draining() === 'shutdown') throw new ServiceError('ERR_DRAINING', 'no new images are taken');
    const plan = toUploadPlan(exchange.request.headers, config.upload);
    const options = toCheckOptions(exchange.request, config.check.deadlineMs);
    dependencies.checkService.assertRoom(performance.now() + options.timeoutMs, plan.mayBeJpeg);
    const permit = byteBudget.open(plan.permitBytes);
    try {
      const upload = await readUpload(exchange, plan, permit);
      dependencies.metrics.stepDuration.observe({ step: 'upload' }, upload.uploadMs / 1000);
      return await answerUpload(dependencies, exchange, {
        ...upload,
        models: [...options.models, ...upload.models],
        explain: toExplain(upload.explain) || options.explain,
        deadlineAt: upload.receivedAt + options.timeoutMs,
      });
    } finally {
      permit.release();
    }
  };
}

/** An upload with what the query asks of it, too. */
interface Asked extends Omit<Upload, 'explain'> {
  readonly explain: boolean;
  readonly deadlineAt: number;
}

async function answerUpload(
  { checkService, identity }: HttpDependencies,
  { requestId, clientGone, logVariables }: Exchange,
  { images, models, explain, deadlineAt, uploadMs }: Asked,
): Promise<Answer> {
  const signal = clientGone.signal;
  const request = { requestId, images, models: toModelNames(models), explain, deadlineAt, signal };
  const result = await checkService.check(request);
  for (const [name, value] of toVerdictVariables(result, uploadMs)) logVariables.set(name, value);
  return toVerdictAnswer(result, { requestId, worker: identity, uploadMs });
}
