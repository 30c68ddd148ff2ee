import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { loadInstalledLicense, loadPackages, type RuntimePackage } from '../../docs/generate/packages.ts';
import { projectRoot } from '../../src/cli/project.ts';
import { tensorflowWheel } from '../../src/setup/wheel.ts';
import { makeTempDir } from '../fixtures/temp-dir.ts';

const run = promisify(execFile);
const notices = readFileSync(path.join(projectRoot, 'THIRD_PARTY_NOTICES'), 'utf8');

const permissive = ['MIT', 'Apache-2.0', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'Unlicense'];
/** Under the LGPL, each with a section of its own in the notices: libraries that users can replace. */
const copyleft = /^(@img\/sharp-(libvips-|win32-|wasm32)|libheif-js$)/;

/** Packages under a licence that nobody has looked at. */
function findUnknownLicenses(packages: readonly RuntimePackage[]): string[] {
  return packages
    .filter(({ name, license }) => {
      const known = copyleft.test(name) ? [...permissive, 'LGPL-3.0', 'LGPL-3.0-or-later'] : permissive;
      return !license.split(/ AND |[()]/).every((part) => part === '' || known.includes(part));
    })
    .map(({ name, license }) => `${name}: ${license}`);
}

function makeCheckout(context: test.TestContext, packages: object, manifests: Record<string, object> = {}): string {
  const root = makeTempDir(context);
  writeFileSync(path.join(root, 'package-lock.json'), JSON.stringify({ packages: { '': {}, ...packages } }));
  for (const [folder, manifest] of Object.entries(manifests)) {
    mkdirSync(path.join(root, folder), { recursive: true });
    writeFileSync(path.join(root, folder, 'package.json'), JSON.stringify(manifest));
  }
  return root;
}

test('every_runtime_package_has_a_licence_that_is_known', async () => {
  const packages = await loadPackages(projectRoot);
  assert.ok(packages.length > 50);
  assert.deepEqual(findUnknownLicenses(packages), []);
});

test('an_installed_runtime_package_has_the_licence_of_the_lockfile', async () => {
  let installed = 0;
  for (const { name, version, license } of await loadPackages(projectRoot)) {
    const folder = path.join(projectRoot, 'node_modules', name);
    const stated = await loadInstalledLicense(folder);
    if (stated === undefined) continue;
    const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as { version: string };
    // Another version of it is further down.
    if (manifest.version !== version) continue;
    installed += 1;
    assert.equal(stated, license, name);
  }
  assert.ok(installed > 50);
});

test('the_notices_name_what_is_not_permissive_and_what_no_package_of_npm_is', () => {
  const listed = notices.indexOf('== npm packages ==');
  const prose = notices.slice(0, listed);
  assert.ok(prose.includes(`${tensorflowWheel.project} ${tensorflowWheel.version}`), 'the wheel of TensorFlow');
  for (const name of ['libvips', 'libheif', 'libjpeg-turbo', 'Independent JPEG Group', 'LGPL-3.0']) {
    assert.ok(prose.includes(name), name);
  }
  const { dependencies } = JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const [name, version] of Object.entries(dependencies)) {
    assert.ok(notices.includes(`\n  ${name} ${version}\n`, listed), name);
  }
});

test('a_package_under_another_licence_or_under_none_is_found', async (context) => {
  const packages = {
    'node_modules/free': { version: '1.0.0', license: 'MIT' },
    'node_modules/bound': { version: '1.0.0', license: 'GPL-3.0' },
    'node_modules/free/node_modules/both': { version: '1.0.0', license: '(MIT AND AGPL-3.0)' },
    'node_modules/tool': { version: '1.0.0', license: 'GPL-3.0', dev: true },
    'node_modules/old': { version: '1.0.0' },
  };
  const old = { 'node_modules/old': { licenses: [{ type: 'MIT' }] } };
  const found = await loadPackages(makeCheckout(context, packages, old));
  assert.deepEqual(
    found.map(({ name }) => name),
    ['free', 'bound', 'both', 'old'],
  );
  assert.deepEqual(findUnknownLicenses(found), ['bound: GPL-3.0', 'both: (MIT AND AGPL-3.0)']);
  await assert.rejects(loadPackages(makeCheckout(context, packages)), /old 1\.0\.0 states no licence/);
});

test('the_software_bill_of_materials_has_every_runtime_package_and_no_other', async () => {
  const { stdout } = await run('npm', ['run', '--silent', 'sbom'], { cwd: projectRoot, maxBuffer: 1 << 26 });
  const sbom = JSON.parse(stdout) as {
    metadata: { component: { name: string } };
    components: { name: string; version: string }[];
  };
  assert.equal(sbom.metadata.component.name, 'image-check-server');
  const toIds = (packages: readonly { name: string; version: string }[]): string[] => [
    ...new Set(packages.map(({ name, version }) => `${name} ${version}`).sort()),
  ];
  assert.deepEqual(toIds(sbom.components), toIds(await loadPackages(projectRoot)));
});
