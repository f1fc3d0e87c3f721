/** The programs here, and the steps whose result is not what Ceph 16.2 gives, with the reason for each. */

export const programs = [
  'data',
  'compound_writes',
  'compound_reads',
  'xattrs',
  'comparisons',
  'omap',
  'checksum',
  'limits',
  'classes',
  'class_lock',
  'class_values',
  'class_logs',
  'listing',
  'stats',
  'watch',
  'snapshots',
  'pools',
] as const;

interface KnownDifference {
  readonly program: (typeof programs)[number];
  /** Names of steps; a star at the end stands for any rest. */
  readonly steps: readonly string[];
  readonly reason: string;
}

export const knownDifferences: readonly KnownDifference[] = [
  {
    program: 'xattrs',
    steps: ['get without a name'],
    reason: "Ceph shows the object's info, which it keeps under the empty name; here it is nobody's",
  },
  {
    program: 'stats',
    steps: ['eleven objects', 'a compound write'],
    reason: 'num_bytes is what the store allocated, omap included, and the stores allocate differently',
  },
];
