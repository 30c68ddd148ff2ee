import type { Express } from 'express';
import { ServiceError } from '../errors.ts';
import { type OpsAnswer, type OpsPath, opsPaths } from '../ipc/messages.ts';
import type { HttpDependencies } from './dependencies.ts';
import { addRoute, type RouteHandler } from './route.ts';

/** Time limit for the primary's answer. */
const askTimeoutMs = 500;

/** Adds the operations routes to the public port: answers of the primary, or its last ones while it does not respond. */
export function addOpsRoutes(app: Express, dependencies: Pick<HttpDependencies, 'askPrimary' | 'log'>): void {
  for (const path of opsPaths) addRoute(app, path, 'GET', createOpsHandler(path, dependencies));
}

function createOpsHandler(
  path: OpsPath,
  { askPrimary, log }: Pick<HttpDependencies, 'askPrimary' | 'log'>,
): RouteHandler {
  let last: { answer: OpsAnswer; receivedAt: number } | undefined;
  return async () => {
    try {
      const answer = await rejectLate(askPrimary(path));
      last = { answer, receivedAt: performance.now() };
      return answer;
    } catch (error) {
      log.debug({ err: error, path }, 'the primary did not answer');
    }
    if (last === undefined) {
      throw new ServiceError('ERR_DEADLINE', `the primary did not answer within ${String(askTimeoutMs)} ms`);
    }
    const ageSeconds = Math.floor((performance.now() - last.receivedAt) / 1000);
    return { ...last.answer, headers: { Age: String(ageSeconds) } };
  };
}

async function rejectLate<Value>(promise: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error('late'));
    }, askTimeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
