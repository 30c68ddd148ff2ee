import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { projectRoot } from '../../src/cli/project.ts';
import { hasCommand } from '../fixtures/foreign-clients.ts';
import { startService } from '../fixtures/service.ts';
import type { VerdictBody } from '../fixtures/uploads.ts';

const run = promisify(execFile);
const readme = readFileSync(path.join(projectRoot, 'README.md'), 'utf8');

function findBlock(language: string): string {
  const quickStart = /## Quick start\n([\s\S]*?)\n## /.exec(readme)?.[1] ?? '';
  const block = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(quickStart)?.[1];
  assert.ok(block !== undefined, `the quick start has a ${language} block`);
  return block;
}

/** What differs from run to run. */
function toStable(body: VerdictBody): unknown {
  return JSON.parse(
    JSON.stringify(body, (key, value: unknown) => {
      if (['requestId', 'worker', 'timingsMs'].includes(key)) return typeof value;
      return key === 'score' && typeof value === 'number' ? Math.round(value * 100) : value;
    }),
  );
}

test('the_quick_starts_commands_give_the_answer_that_it_shows', async (context) => {
  const { scripts } = JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  assert.ok(findBlock('').includes('npm ci && npm start'));
  // npm ci is what made this checkout; the service is started by the same launcher that npm start runs.
  assert.equal(scripts['start'], 'node src/launcher.mjs serve');
  if (!(await hasCommand('curl'))) {
    assert.notEqual(process.env['IMAGE_CHECK_REQUIRE'], 'all', 'curl is required');
    context.skip('curl is not found');
    return;
  }
  const service = await startService(context);
  const command = findBlock('sh').replaceAll('http://localhost:5051', service.url);
  const { stdout } = await run('sh', ['-c', command], { cwd: projectRoot });
  assert.deepEqual(toStable(JSON.parse(stdout) as VerdictBody), toStable(JSON.parse(findBlock('json')) as VerdictBody));
});
