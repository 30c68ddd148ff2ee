import { toMessage } from '../../src/errors.ts';
import { installPython, installUwsgi } from './python-packages.ts';
import { compileModel, exportModel } from './shared-model.ts';
import type { Tool } from './ways.ts';

/** Why something can't be run here; nothing where it can. */
export type Missing = Readonly<Partial<Record<Tool | 'model', string>>>;

/** Makes all that the ways need, once: Python packages, the model, its compiled form. */
export async function prepareWays(): Promise<Missing> {
  const python = await findFailure(async () => {
    await installPython();
    exportModel();
  });
  const uwsgi = python ?? (await findFailure(installUwsgi));
  const model = python ?? (await findFailure(compileModel));
  return {
    ...(python !== undefined && { gunicorn: python }),
    ...(uwsgi !== undefined && { uwsgi }),
    ...(model !== undefined && { model }),
  };
}

async function findFailure(step: () => Promise<void>): Promise<string | undefined> {
  try {
    await step();
    return undefined;
  } catch (thrown) {
    return toMessage(thrown);
  }
}
