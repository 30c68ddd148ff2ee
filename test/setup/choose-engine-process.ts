// Chooses the engine in the checkout named by the first argument, with the progress named by the second,
// and tells the choice on stdout as JSON. Ends as the service would at an ExitError.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { toMessage } from '../../src/errors.ts';
import type { ProgressKind } from '../../src/setup/progress.ts';

const [checkout = '', progress = 'lines'] = process.argv.slice(2);
const choice = (await import(
  pathToFileURL(join(checkout, 'src', 'setup', 'engine-choice.ts')).href
)) as typeof import('../../src/setup/engine-choice.ts');
try {
  const chosen = await choice.chooseEngine({
    wanted: 'auto',
    progress: progress as ProgressKind,
    environment: process.env,
  });
  process.stdout.write(JSON.stringify(chosen));
} catch (thrown) {
  process.stderr.write(toMessage(thrown));
  process.exitCode =
    thrown instanceof Error && 'exitCode' in thrown && typeof thrown.exitCode === 'number' ? thrown.exitCode : 1;
}
