// The layers of src/README.md, and those of the benchmarks. `test/architecture` plants a violation of each rule.
const rooms = [
  'cli',
  'primary',
  'worker',
  'ipc',
  'http',
  'connection',
  'check',
  'image',
  'model',
  'compile',
  'model-import',
  'train',
  'inference',
  'metrics',
  'config',
  'setup',
];

/** Which rooms a room may import from, beside errors, log, entry-url and the types of config and ipc. */
const mayImport = {
  cli: ['primary', 'worker', 'check', 'model', 'compile', 'model-import', 'train', 'setup', 'config', 'metrics'],
  primary: ['ipc', 'metrics', 'config', 'connection'],
  worker: ['http', 'check', 'image', 'inference', 'model', 'metrics', 'ipc', 'config'],
  http: ['check', 'metrics', 'config', 'ipc', 'connection'],
  connection: [],
  check: ['image', 'inference', 'model', 'metrics', 'config', 'ipc'],
  inference: ['model', 'ipc'],
  compile: ['model', 'inference', 'image', 'ipc'],
  'model-import': ['compile', 'model', 'inference', 'image', 'ipc'],
  train: ['model', 'inference', 'image'],
  image: [],
  model: [],
  metrics: ['ipc'],
  ipc: ['config', 'model'],
  config: [],
  setup: ['inference'],
};

const layers = rooms.map((room) => {
  const allowed = [room, ...mayImport[room]].join('|');
  return {
    name: `${room}-imports`,
    severity: 'error',
    from: { path: `^src/${room}/` },
    to: { path: '^src/[^/]+/', pathNot: `^src/(${allowed})/` },
  };
});

/** Which parts of a room may import from which; the other files of the room stand above its parts. */
const mayImportParts = {
  compile: { graph: [], trace: ['graph'], freeze: ['graph'], simplify: ['graph'], verify: ['graph'], measure: [] },
  inference: { engines: [] },
  primary: { supervise: [], dispatch: ['supervise'], ops: ['supervise', 'dispatch'] },
  train: {
    samples: [],
    evaluation: ['samples'],
    learning: ['samples', 'evaluation'],
    card: ['samples', 'evaluation', 'learning'],
  },
};

const parts = Object.entries(mayImportParts).flatMap(([room, lists]) =>
  Object.entries(lists).map(([part, others]) => ({
    name: `${room}-${part}-imports`,
    severity: 'error',
    from: { path: `^src/${room}/${part}/` },
    to: { path: `^src/${room}/`, pathNot: `^src/${room}/(${[part, ...others].join('|')})/` },
  })),
);

/** Which folders of bench a folder may import from, beside the files of bench itself. */
const benchMayImport = {
  peers: [],
  versus: ['peers'],
  queueing: [],
  'seed-failure': [],
};

const benchLayers = Object.entries(benchMayImport).map(([folder, others]) => ({
  name: `bench-${folder}-imports`,
  severity: 'error',
  from: { path: `^bench/${folder}/` },
  to: { path: '^bench/[^/]+/', pathNot: `^bench/(${[folder, ...others].join('|')})/` },
}));

const tools = [
  ...benchLayers,
  {
    name: 'bench-root-imports',
    comment: 'what the benchmarks share stands below their folders',
    severity: 'error',
    from: { path: '^bench/[^/]+\\.ts$', pathNot: '^bench/run\\.ts$' },
    to: { path: '^bench/[^/]+/' },
  },
  {
    name: 'fuzz-imports',
    severity: 'error',
    from: { path: '^fuzz/' },
    to: { path: '^(pack|bench/[^/]+)/' },
  },
  {
    name: 'tools-import-fixtures-only',
    severity: 'error',
    from: { path: '^(bench|fuzz|pack)/' },
    to: { path: '^test/', pathNot: '^test/fixtures/' },
  },
  {
    name: 'no-tools-in-src',
    severity: 'error',
    from: { path: '^src/' },
    to: { path: '^(bench|fuzz|pack|test)/' },
  },
  {
    name: 'unlisted-folder',
    comment: 'each folder has its line in the lists above',
    severity: 'error',
    from: {
      path: '^(src|bench)/[^/]+/',
      pathNot: [`^src/(${rooms.join('|')})/`, `^bench/(${Object.keys(benchMayImport).join('|')})/`],
    },
    to: {},
  },
];

export default {
  forbidden: [
    ...layers,
    ...parts,
    {
      name: 'trainer-apart',
      comment: 'the npm package has no trainer: nothing of the service may need it',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(train/|cli/(train|evaluate)\\.ts$)' },
      to: { path: '^src/train/' },
    },
    {
      name: 'trainer-on-demand',
      severity: 'error',
      from: { path: '^src/cli/(train|evaluate)\\.ts$' },
      to: { path: '^src/train/', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'trainer-commands-on-demand',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^src/cli/(train|evaluate)\\.ts$', dynamic: false },
    },
    ...tools,
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'root-imports',
      comment: 'the files of src itself stand below every room',
      severity: 'error',
      from: {
        path: '^src/(errors|error-table|problem|log|log-stream|lock|entry-url|native-library|pause-tolerant-timeout|public-text|smaps-rollup|watchdog|short-list|thread-times|user-cache|heap-flags|deadline)\\.ts$',
      },
      to: { path: '^src/[^/]+/' },
    },
    {
      name: 'main-imports',
      severity: 'error',
      from: { path: '^src/main\\.ts$' },
      to: { path: '^src/', pathNot: '^src/(cli/command-line|worker/worker|heap-flags)\\.ts$' },
    },
    {
      name: 'tensorflow-door',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/inference/engines/tensorflow\\.ts$' },
      to: { path: '@tensorflow/tfjs-node' },
    },
    {
      name: 'primary-stays-light',
      comment: 'nothing reachable from the primary loads TensorFlow, sharp or the upload path',
      severity: 'error',
      from: { path: '^src/primary/' },
      to: {
        path: 'node_modules/(@tensorflow|sharp|express|multer)|^src/(http|check|image|inference|model)/',
        pathNot: '^src/model/(manifest|model-version)\\.ts$',
        reachable: true,
      },
    },
    { name: 'not-resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: 'specify',
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
