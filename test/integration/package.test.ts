import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { copyTfjsNode } from '../../pack/tfjs-node.ts';
import { projectRoot } from '../../src/cli/project.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

const run = promisify(execFile);

interface Manifest {
  readonly name: string;
  readonly scripts?: object;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

interface Ended {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest;
}

/** Every file below a folder, but those behind links. */
function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(path.join(folder, name)).isFile())
    .sort();
}

test('the_package_has_what_runs_and_nothing_of_the_checkout_or_the_trainer', async (context) => {
  const target = makeTempDir(context);
  const tfjsNode = path.join(projectRoot, 'node_modules', '@tensorflow', 'tfjs-node', 'package.json');
  const before = [readFileSync(tfjsNode, 'utf8'), readFileSync(path.join(projectRoot, 'package.json'), 'utf8')];
  const { stdout } = await run('npm', ['run', '--silent', 'pack', '--', '--pack-destination', target], {
    cwd: projectRoot,
  });
  const tarball = stdout.trim();
  await run('tar', ['-xzf', tarball, '-C', target]);
  const root = path.join(target, 'package');
  const files = listFiles(root);

  for (const file of [
    ...[
      'LICENSE',
      'README.md',
      'README.zh-CN.md',
      'CHANGELOG.md',
      'SECURITY.md',
      'THIRD_PARTY_NOTICES',
      'docs/api.md',
      'docs/configuration.md',
      'ecosystem.config.js',
      'src/launcher.mjs',
      'dist/main.js',
      'dist/api.d.ts',
    ],
    ...['src/image/native/jpeg-raster.cc', 'config/default.yaml', 'config/prometheus/alerts.yml'],
    ...[
      'models/quality/2/manifest.json',
      'models/quality/2/compiled/saved_model.pb',
      'models/quality/2/golden/sharp.jpg',
    ],
    'node_modules/@tensorflow/tfjs-node/binding/tfjs_backend.cc',
    'node_modules/@tensorflow/tfjs-node/dist/index.js',
  ]) {
    assert.ok(files.includes(file), file);
  }
  const checkoutOnly =
    /^(test|bench|docs\/generate|pack|\.ci)\/|\.test\.|_test\.js|\.map$|tsconfig|^src\/.*\.ts$|training\/|eslint|knip|^dist\/train\//;
  assert.deepEqual(
    files.filter((file) => checkoutOnly.test(file)),
    [],
  );
  assert.deepEqual([...new Set(files.map((file) => /^node_modules\/@?[^/]+\/[^/]+/.exec(file)?.[0] ?? ''))].sort(), [
    '',
    'node_modules/@tensorflow/tfjs-node',
  ]);

  const manifest = readManifest(root);
  assert.deepEqual(manifest['bundleDependencies'], ['@tensorflow/tfjs-node']);
  for (const field of ['private', 'scripts', 'devDependencies']) assert.ok(!(field in manifest), field);
  for (const name of ['typescript', 'vega', 'vega-lite', '@resvg/resvg-js']) {
    assert.ok(!(name in (manifest.dependencies ?? {})), name);
  }
  // With any of these npm would run, or look for, what is not there.
  const bundled = readManifest(path.join(root, 'node_modules', '@tensorflow', 'tfjs-node'));
  assert.deepEqual([bundled.scripts, bundled.dependencies, bundled['gypfile']], [undefined, undefined, false]);
  assert.ok(!files.includes('node_modules/@tensorflow/tfjs-node/binding.gyp'));

  const after = [readFileSync(tfjsNode, 'utf8'), readFileSync(path.join(projectRoot, 'package.json'), 'utf8')];
  assert.deepEqual(after, before);

  symlinkSync(path.join(projectRoot, 'node_modules'), path.join(target, 'node_modules'));
  for (const [command, args] of [
    ['train', ['quality', '--photos', target, '--out', path.join(target, 'out')]],
    ['evaluate', ['--model', target, '--photos', target]],
  ] as const) {
    const ended = run(process.execPath, [path.join(root, 'src', 'launcher.mjs'), command, ...args]);
    await assert.rejects(ended, (thrown: Ended) => {
      const stderr = `image-check: ${command} needs a checkout of the project: the installed package has no trainer\n`;
      assert.deepEqual([thrown.code, thrown.stderr, thrown.stdout], [78, stderr, '']);
      return true;
    });
  }
  const help = await run(process.execPath, [path.join(root, 'src', 'launcher.mjs'), '--help']);
  for (const command of ['train', 'evaluate']) assert.match(help.stdout, new RegExp(`^  ${command} `, 'm'));
});

test('a_package_that_tfjs_node_needs_and_nobody_declares_fails_the_packing', async (context) => {
  const source = path.join(projectRoot, 'node_modules', '@tensorflow', 'tfjs-node');
  const dependencies = { '@tensorflow/tfjs': '4.22.0', progress: '2.0.3' };
  await assert.rejects(copyTfjsNode(source, makeTempDir(context), dependencies), /must declare .*: google-protobuf$/);
});

for (const { args, said } of [
  { args: [], said: /use-npm-run-pack/ },
  { args: ['--ignore-scripts=false'], said: /use npm run pack/ },
]) {
  test(`plain_npm_pack_fails_and_says_what_to_use_instead: ${args.join() || 'no arguments'}`, async (context) => {
    const root = makeTempDir(context);
    for (const name of ['package.json', '.npmrc', 'src', 'pack']) {
      cpSync(path.join(projectRoot, name), path.join(root, name), { recursive: true });
    }
    await assert.rejects(run('npm', ['pack', ...args], { cwd: root }), said);
    assert.deepEqual(
      readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.tgz')),
      [],
    );
  });
}
