import js from '@eslint/js';
import importSort from 'eslint-plugin-simple-import-sort';
import tseslint from 'typescript-eslint';

const restrictTensorFlow = {
  paths: [{ name: '@tensorflow/tfjs-node', message: 'only src/inference/engines/tensorflow.ts loads it' }],
};

/** Files that construct the services of a process; everything else gets them passed in. */
const compositionRoots = ['src/worker/composition-root.ts', 'src/worker/worker-service.ts', 'src/primary/primary.ts'];
const message = `only the composition roots construct services: ${compositionRoots.join(', ')}`;
const restrictServices = [
  {
    selector:
      'NewExpression[callee.name=/^(Admission|InferenceService|QuarantineClient|Quarantine|RollingRestart|Supervisor)$/]',
    message,
  },
  { selector: 'CallExpression[callee.name=/^(createCheckService|createHttpServer)$/]', message },
];

export default tseslint.config(
  { ignores: ['dist', 'dist.*', 'coverage', 'node_modules', '**/.venv', '**/.installed'] },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['eslint.config.js'] } } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { 'import-sort': importSort },
    rules: {
      curly: ['error', 'multi-line'],
      // One block: side effects, Node's modules, packages, then other rooms before the own one.
      'import-sort/imports': ['error', { groups: [['^\\u0000', '^node:', '^@?\\w', '^\\.\\.', '^\\.']] }],
      'max-lines': ['error', { max: 300 }],
      'max-lines-per-function': ['error', { max: 50, skipComments: true, skipBlankLines: true }],
      'no-restricted-imports': ['error', restrictTensorFlow],
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/ban-ts-comment': ['error', { minimumDescriptionLength: 10 }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
    },
  },
  {
    files: ['src/**'],
    ignores: compositionRoots,
    rules: { 'no-restricted-syntax': ['error', ...restrictServices] },
  },
  {
    files: ['src/inference/engines/tensorflow.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    // libvips has one list of open loaders for the process: nothing else may open one that uploads must not reach.
    files: ['src/**'],
    ignores: ['src/image/library.ts'],
    rules: { 'no-restricted-properties': ['error', { object: 'sharp', property: 'unblock' }] },
  },
  {
    files: ['test/**'],
    rules: {
      // node:test collects what test() and describe() return; a suite is one long function by nature.
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafeCalls: [{ from: 'package', package: 'node:test', name: ['test', 'describe', 'it'] }] },
      ],
      'max-lines-per-function': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
);
