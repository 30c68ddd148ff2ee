import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Registry } from 'prom-client';
import { projectRoot } from '../../src/cli/project.ts';
import { listOptions } from '../../src/config/options.ts';
import { errorTable } from '../../src/error-table.ts';
import { errorCodes, exitCodes } from '../../src/errors.ts';
import { accessVariables } from '../../src/http/access-variables.ts';
import { createWorkerMetrics } from '../../src/metrics/catalogue.ts';
import { createConnectionMetrics } from '../../src/metrics/connection-metrics.ts';
import { createPrimaryMetrics } from '../../src/metrics/primary-metrics.ts';
import { listDocuments, listRows, loadMarkdown } from './markdown.ts';

function read(name: string): string {
  return readFileSync(path.join(projectRoot, name), 'utf8');
}

/** Everything that is written as code, by document; what was true of older versions stays in the changelog. */
const codeByDocument = listDocuments(projectRoot)
  .filter((name) => name !== 'CHANGELOG.md')
  .map((name) => {
    const { spans, blocks } = loadMarkdown(path.join(projectRoot, name));
    return { name, code: [...spans, ...blocks.map(({ text }) => text)].join('\n') };
  });

/** Words of a kind that documents name, but the code does not have. */
function findUnknown(pattern: RegExp, known: ReadonlySet<string>): string[] {
  return codeByDocument.flatMap(({ name, code }) =>
    [...code.matchAll(pattern)].filter(([word]) => !known.has(word)).map(([word]) => `${name}: ${word}`),
  );
}

function listInCode(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].flatMap(([, code]) => code ?? []);
}

test('the_documented_error_codes_and_their_statuses_are_those_of_the_code', () => {
  const rows = listRows(read('docs/api.md'), '## Errors').slice(1);
  const documented = rows.map(([code = '', status = '']) => [code, Number.parseInt(status, 10)]);
  assert.deepEqual(
    documented,
    errorCodes.map((code) => [`\`${code}\``, errorTable[code].status]),
  );
  assert.deepEqual(findUnknown(/\bERR_[A-Z_]+/g, new Set<string>(errorCodes)), []);
});

interface NamedMetric {
  readonly name: string;
  readonly labelNames: readonly string[];
}

function listMetrics(): string[] {
  const registry = new Registry();
  createWorkerMetrics(registry);
  createConnectionMetrics(registry, () => ({ open: 0, unacknowledged: 0, waiting: 0 }));
  const primary = createPrimaryMetrics('0.0.0', 'wasm').registry;
  const metrics = [...registry.getMetricsAsArray(), ...primary.getMetricsAsArray()] as unknown as NamedMetric[];
  const names = metrics.map(({ name, labelNames }) => name + (labelNames.length > 0 ? `{${labelNames.join()}}` : ''));
  return [...new Set(names)].sort();
}

test('the_documented_metrics_and_their_labels_are_those_of_the_code', () => {
  const rows = listRows(read('docs/operations.md'), '## Metrics').slice(1);
  const metrics = listMetrics();
  assert.deepEqual(rows.flatMap(([names = '']) => listInCode(names)).sort(), metrics);
  const known = metrics.flatMap((metric) => {
    const name = metric.replace(/\{.*/, '');
    return [name, `${name}_bucket`, `${name}_sum`, `${name}_count`];
  });
  assert.deepEqual(findUnknown(/\bimage_check_[a-z_]+/g, new Set(known)), []);
});

test('the_documented_options_and_variables_are_those_of_the_schema', () => {
  const options = listOptions();
  const sections = [...new Set(options.map((option) => option.path.split('.')[0] ?? ''))];
  const rows = sections.flatMap((name) => listRows(read('docs/configuration.md'), `### \`${name}\``).slice(1));
  assert.deepEqual(
    rows.map(([names = '']) => listInCode(names)),
    options.map((option) => [option.path, option.variable]),
  );

  const pattern = new RegExp(
    `(?<![\\w./-])(${sections.join('|')})\\.(?!(json|ts|node|export)\\b)[a-z][A-Za-z]+(?![\\w/])`,
    'g',
  );
  assert.deepEqual(findUnknown(pattern, new Set(options.map((option) => option.path))), []);
});

test('variables_that_documents_name_exist', () => {
  const testing = ['REQUIRE', 'TEST_PYTHON'].map((name) => `IMAGE_CHECK_${name}`);
  const known = [...listOptions().map(({ variable }) => variable), ...testing, 'IMAGE_CHECK_'];
  assert.deepEqual(findUnknown(/\bIMAGE_CHECK_[A-Z_]*/g, new Set(known)), []);
});

test('the_documented_exit_codes_are_those_of_the_code', () => {
  const rows = listRows(read('docs/operations.md'), '## Signals and exit codes').slice(1);
  const documented = rows.map(([code]) => Number(code)).filter((code) => Number.isInteger(code));
  assert.deepEqual(documented, Object.values(exitCodes));
});

test('the_documented_variables_of_the_access_log_are_those_of_uWSGI_that_the_code_knows', () => {
  const [, after = ''] = read('docs/operations.md').split('### Access log variables\n');
  const [own = ''] = after.split('\nand of image-check itself');
  const documented = listInCode(own).filter((name) => /^[a-zA-Z0-9]+$/.test(name));
  assert.deepEqual(documented.sort(), [...accessVariables.keys()].sort());
});

test('a_name_that_the_code_does_not_have_is_found', () => {
  assert.ok(findUnknown(/\bERR_[A-Z_]+/g, new Set(errorCodes.slice(1))).includes('docs/api.md: ERR_UPLOAD_MISSING'));
});
