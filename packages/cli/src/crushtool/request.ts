/** What a command line of crushtool asks for (tools/crushtool.cc), stage by stage. */
import type { CrushLocation, CrushTunables } from '@spirula/crush';

export interface Layer {
  readonly name: string;
  readonly alg: string;
  /** Items in a bucket; 0: all. */
  readonly size: number;
}

export interface NewRule {
  readonly name: string;
  readonly root: string;
  readonly type: string;
  readonly mode: string;
}

export interface NewItem {
  readonly id: number;
  /** A C float. */
  readonly weight: number;
  readonly name: string;
  /** Whether it may be there already. */
  readonly update: boolean;
}

export interface TestRequest {
  /** Negative bounds stand for none; one alone counts as none. */
  minRule: number;
  maxRule: number;
  /** Only rules of that ruleset; -1: of any. */
  ruleset: number;
  minX: number;
  maxX: number;
  /** How many replicas; negative: all that a rule is for. */
  numRep: number;
  /** -1: inputs are not hashed with a pool's id. */
  poolId: number;
  batches: number;
  simulate: boolean;
  /** Share of devices to take out in `downBucketRatio` of the buckets that hold devices. */
  downDeviceRatio: number;
  downBucketRatio: number;
  readonly weights: Map<number, number>;
  utilization: boolean;
  utilizationAll: boolean;
  statistics: boolean;
  mappings: boolean;
  badMappings: boolean;
  chooseTries: boolean;
  csv: boolean;
  /** Before the names of data files. */
  outputName: string;
}

export interface Request {
  input: string;
  source: string | undefined;
  output: string;
  verbose: number;
  decompile: boolean;
  build: boolean;
  numOsds: number;
  layers: readonly Layer[];
  /** Below 0: not asked for. */
  tunables: Partial<Record<keyof CrushTunables, number>>;
  /** Whether any tunable was named. */
  adjusts: boolean;
  reweightItem: { readonly name: string; readonly weight: number } | undefined;
  removeItem: string;
  newItem: NewItem | undefined;
  newBucket: { readonly name: string; readonly type: string } | undefined;
  move: string | undefined;
  location: CrushLocation;
  newRule: NewRule | undefined;
  deviceClass: string;
  removeRule: boolean;
  /** Of the rule to add or to remove: the last named. */
  ruleName: string;
  reweight: boolean;
  rebuildClassRoots: boolean;
  readonly subtreeClasses: Map<string, string>;
  reclassify: boolean;
  readonly reclassifyRoots: Map<string, string>;
  readonly reclassifyBuckets: Map<string, { readonly className: string; readonly parent: string }>;
  showLocation: number;
  tree: boolean;
  bucketTree: boolean;
  bucketName: string;
  dump: boolean;
  format: string;
  check: boolean;
  checkMaxId: number;
  test: boolean;
  readonly tester: TestRequest;
  compare: string;
}

export function emptyRequest(): Request {
  return {
    input: '',
    source: undefined,
    output: '',
    verbose: 0,
    decompile: false,
    build: false,
    numOsds: 0,
    layers: [],
    tunables: {},
    adjusts: false,
    reweightItem: undefined,
    removeItem: '',
    newItem: undefined,
    newBucket: undefined,
    move: undefined,
    location: new Map(),
    newRule: undefined,
    deviceClass: '',
    removeRule: false,
    ruleName: '',
    reweight: false,
    rebuildClassRoots: false,
    subtreeClasses: new Map(),
    reclassify: false,
    reclassifyRoots: new Map(),
    reclassifyBuckets: new Map(),
    showLocation: -1,
    tree: false,
    bucketTree: false,
    bucketName: '',
    dump: false,
    format: 'json-pretty',
    check: false,
    checkMaxId: -1,
    test: false,
    compare: '',
    tester: {
      minRule: -1,
      maxRule: -1,
      ruleset: -1,
      minX: -1,
      maxX: -1,
      numRep: -1,
      poolId: -1,
      batches: 1,
      simulate: false,
      downDeviceRatio: 0,
      downBucketRatio: 1,
      weights: new Map(),
      utilization: false,
      utilizationAll: false,
      statistics: false,
      mappings: false,
      badMappings: false,
      chooseTries: false,
      csv: false,
      outputName: '',
    },
  };
}
