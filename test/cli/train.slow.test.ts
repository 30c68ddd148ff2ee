import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { writePhotos } from '../fixtures/brightness-model.ts';
import { startLauncher } from '../fixtures/service.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

test('invalid_arguments_end_in_78_and_one_line', async (context) => {
  const [photos, empty] = [await writePhotos(makeTempDir(context), 3), makeTempDir(context)];
  writeFileSync(path.join(empty, 'file'), '');
  writeFileSync(path.join(empty, '3.training'), '');
  const [out, missing] = [path.join(empty, '2'), path.join(empty, 'none')];
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['--photos', photos, '--out', out, '--seed', 'x'], /^image-check: seed must be a whole number from 0: NaN$/],
    [['--photos', photos, '--out', out, '--rounds', '1'], /^image-check: rounds must be a whole number from 2: 1$/],
    [['--photos', missing, '--out', out], /^image-check: photos can't be read: .*none/],
    [['--photos', empty, '--out', out], /^image-check: no photograph in /],
    [['--photos', photos, '--out', path.join(empty, 'file', '2')], /^image-check: the output folder can't be read: /],
    [['--photos', photos, '--out', path.join(empty, '3')], /^image-check: progress can't be saved: /],
  ];
  for (const [args, message] of cases) {
    const started = startLauncher(context, { args: ['train', 'quality', ...args] });
    const code = await started.ended;
    const stderr = started.stderr();
    assert.equal(code, 78, `${args.join(' ')}: ${stderr}`);
    assert.equal(started.stdout(), '');
    assert.match(stderr.trimEnd().split('\n').at(-1) ?? '', message);
    assert.doesNotMatch(stderr, /^ {4}at /m, 'no stack');
  }
});
