// The layers of docs/architecture.md, as rules. Imports go down only.
const layers = [
  ['encoding', 'config', 'world'],
  ['auth', 'msgr', 'maps', 'crush', 'nbd'],
  ['messages', 'formatter', 'admin-socket', 'objectstore', 'objecter', 'mon-client', 'cls', 'placement'],
  ['mon', 'osd', 'mgr', 'rados'],
  ['rgw', 'rbd'],
  ['rbd-support'],
  ['runtime-node', 'mgr-http', 'rgw-http'],
  ['cli'],
];
const folder = (names) => `^packages/(${names.join('|')})/`;
const above = (level) => layers.slice(level + 1).flat();

const layerRules = layers.flatMap((names, level) =>
  names.length === 0 || above(level).length === 0
    ? []
    : [
        {
          name: `layer-${level}-imports-down-only`,
          severity: 'error',
          from: { path: folder(names), pathNot: '\\.test\\.ts$' },
          to: { path: `^(packages/(${above(level).join('|')})|sim|bench|test)/` },
        },
      ],
);

module.exports = {
  forbidden: [
    ...layerRules,
    {
      name: 'encoding-below-world',
      comment: 'World speaks of bytes and addresses; encoding knows no world.',
      severity: 'error',
      from: { path: '^packages/encoding/' },
      to: { path: '^packages/world/' },
    },
    {
      name: 'crush-below-maps',
      severity: 'error',
      from: { path: '^packages/(crush|msgr)/', pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/maps/' },
    },
    {
      name: 'daemons-never-import-one-another',
      severity: 'error',
      from: { path: '^packages/(mon|osd|mgr|rados)/', pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/(mon|osd|mgr|rados)/', pathNot: '^packages/$1/' },
    },
    {
      name: 'sim-world-imports-no-daemon',
      severity: 'error',
      from: { path: '^sim/world/', pathNot: '\\.test\\.ts$' },
      to: {
        path: '^(packages/(mon|osd|mgr|rados|rgw|rbd|rbd-support|runtime-node|mgr-http|rgw-http|cli)|sim/scenarios|bench|test)/',
      },
    },
    {
      name: 'core-touches-no-host',
      comment: 'Only the edge packages reach Node itself.',
      severity: 'error',
      from: {
        path: '^(packages/(encoding|config|world|auth|msgr|crush|maps|messages|formatter|admin-socket|objectstore|objecter|mon-client|cls|mon|osd|mgr|rados|rgw|rbd|rbd-support|nbd)|sim/world|sim/scenarios)/src/',
        pathNot: '\\.test\\.ts$',
      },
      to: { dependencyTypes: ['core'] },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/(dist|node_modules)/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
