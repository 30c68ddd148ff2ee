import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { projectRoot } from '../../src/cli/project.ts';
import { renderDefaultFile } from '../../src/config/default-file.ts';
import { loadConfig } from '../../src/config/load.ts';
import { listOptions } from '../../src/config/options.ts';

test('default_yaml_is_what_the_schema_says', () => {
  const file = readFileSync(new URL('../../config/default.yaml', import.meta.url), 'utf8');
  assert.equal(file, renderDefaultFile(), 'write it again: image-check config --defaults > config/default.yaml');
});

test('every_option_has_a_sentence_and_a_range', () => {
  const options = listOptions();
  assert.ok(options.length > 30);
  for (const { path, description, range } of options) {
    assert.match(description, /^\S.*\.$/, path);
    assert.notEqual(range, '', path);
  }
});

test('every_environment_file_loads', () => {
  const names = readdirSync(new URL('../../config/', import.meta.url)).filter((name) => name.endsWith('.yaml'));
  assert.ok(names.length >= 2);
  for (const name of names) {
    const environment = { NODE_ENV: name.replace('.yaml', '') };
    assert.equal(loadConfig({ rootDir: projectRoot, environment }).config.server.port, 5051);
  }
});
