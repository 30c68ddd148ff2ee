import assert from 'node:assert/strict';
import test from 'node:test';
import { writeColourModel } from '../fixtures/colour-model.ts';
import { makePlain } from '../fixtures/pictures.ts';
import { startLauncher, startService } from '../fixtures/service.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';
import { postRaw } from '../fixtures/uploads.ts';
import { waitFor } from '../fixtures/wait-for.ts';

test('a_running_service_goes_on_without_a_model_that_is_removed', async (context) => {
  const modelsDir = makeTempDir(context);
  await writeColourModel(modelsDir, { name: 'quality' });
  await writeColourModel(modelsDir, { name: 'other' });
  const service = await startService(context, { args: ['--models', modelsDir] });
  const white = await makePlain(255);
  const ask = (model: string) => postRaw(service.url, white, { query: `?model=${model}` });
  // Every worker holds both.
  await waitFor(async () => {
    assert.equal((await ask('quality,other')).status, 200);
    return (await service.health()).workers.every(({ models }) => models['other']?.state === 'ready');
  });

  const removing = startLauncher(context, { args: ['models', 'remove', 'other', '--models', modelsDir] });
  assert.equal(await removing.ended, 0, removing.stderr());
  await waitFor(
    async () => {
      assert.equal((await ask('quality')).status, 200);
      const { rollingRestart, workers } = await service.health();
      assert.notEqual(rollingRestart?.state, 'stopped', rollingRestart?.reason);
      return rollingRestart?.state === 'complete' && workers.every(({ models }) => !('other' in models));
    },
    'no worker has the model',
    120_000,
  );
  const { status, body } = await ask('other');
  assert.equal(status, 404);
  assert.equal(body.code, 'ERR_MODEL_UNKNOWN');
});
