import type { AddrVec, Epoch, UTime } from '@spirula/encoding';

export interface MgrModuleOption {
  readonly name: string;
  readonly type: number;
  readonly level: number;
  readonly flags: number;
  readonly defaultValue: string;
  readonly min: string;
  readonly max: string;
  readonly enumAllowed: readonly string[];
  readonly desc: string;
  readonly longDesc: string;
  readonly tags: readonly string[];
  readonly seeAlso: readonly string[];
}

export interface MgrModuleInfo {
  readonly name: string;
  readonly canRun: boolean;
  readonly errorString: string;
  readonly options: ReadonlyMap<string, MgrModuleOption>;
}

export interface MgrStandby {
  readonly gid: bigint;
  readonly name: string;
  readonly availableModules: readonly MgrModuleInfo[];
  readonly mgrFeatures: bigint;
}

/** Which manager is active and which stand by (mon/MgrMap.h). Immutable. */
export interface MgrMap {
  readonly epoch: Epoch;
  readonly activeAddrs: AddrVec;
  readonly activeGid: bigint;
  readonly available: boolean;
  readonly activeName: string;
  readonly standbys: ReadonlyMap<bigint, MgrStandby>;
  readonly modules: readonly string[];
  readonly availableModules: readonly MgrModuleInfo[];
  readonly services: ReadonlyMap<string, string>;
  readonly activeChange: UTime;
  readonly alwaysOnModules: ReadonlyMap<number, readonly string[]>;
  readonly activeMgrFeatures: bigint;
  readonly lastFailureOsdEpoch: Epoch;
  /** Addresses of the clients that the manager's modules are, and beside each its module's name. */
  readonly clients: readonly AddrVec[];
  readonly clientNames: readonly string[];
}
