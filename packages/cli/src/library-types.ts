/**
 * What `import { startCluster } from 'spirula'` gives: a Ceph cluster inside this process (or beside it), for tests.
 * This file imports nothing, so that its declarations stand alone.
 */

export interface ClusterOptions {
  /** Folder for ceph.conf and data. Without it, a temporary one that `stop` removes. */
  readonly dir?: string;
  /** Monitors, 3 unless given. */
  readonly mons?: number;
  /** Managers, 1 unless given, 3 at most: one is active, the others stand by. */
  readonly mgrs?: number;
  /** OSDs, 3 unless given. The first pool keeps min(3, osds) copies. */
  readonly osds?: number;
  /** `disk` (default) flushes to the folder; `memory` keeps everything in memory. */
  readonly store?: 'disk' | 'memory';
  /** `cephx` (default): clients need the keyring that ceph.conf names; `none`: everybody is let in. */
  readonly auth?: 'cephx' | 'none';
  /** Options of Ceph's, such as `{ osd_heartbeat_grace: 5 }`. */
  readonly config?: Readonly<Record<string, string | number | boolean>>;
  /** An object gateway, too, which serves S3: `cluster.s3`. Its data are in memory unless `store` or `dir` is given. */
  readonly rgw?: boolean;
  /** First port; without it, free ones are taken. */
  readonly portBase?: number;
  /** How long to wait for HEALTH_OK, in seconds (60). */
  readonly timeoutSeconds?: number;
  /** Object classes of your own, which the OSDs have beside Ceph's. */
  readonly classes?: readonly ObjectClass[];
}

export interface DaemonReport {
  readonly name: string;
  readonly state: 'running' | 'hung' | 'stopped';
  readonly reason?: string;
}

/** A cluster that is up and HEALTH_OK, all PGs active+clean. */
export interface RunningCluster {
  readonly dir: string;
  readonly fsid: string;
  /** Path of the ceph.conf for `ceph -c`, librados and the like. */
  readonly cephConf: string;
  /** `127.0.0.1:port` of each monitor, msgr2, as they are now. */
  readonly monAddrs: readonly string[];
  /** Name of the first pool. */
  readonly pool: string;
  /** Opens a client of its own; close it, or `stop` does. */
  connect(): Promise<ClusterConnection>;
  /** `osd.1`, `mon.b` or `mgr.x`: crashes it, or with `hang` makes it fall silent. */
  kill(daemon: string, options?: { readonly hang?: boolean }): Promise<void>;
  /** Starts a daemon that was killed, resumes one that hangs. */
  start(daemon: string): Promise<void>;
  /** Adds a monitor and resolves with its name once it is in the quorum; it is called as you say, or by the next letter. */
  addMon(name?: string): Promise<string>;
  /** Removes a monitor, with all it has stored; rejects when no quorum would be left. */
  removeMon(name: string): Promise<void>;
  status(): Promise<readonly DaemonReport[]>;
  /** Resolves at HEALTH_OK with all PGs active+clean; rejects after `timeoutSeconds` (60), saying what is not well. */
  waitForHealth(timeoutSeconds?: number): Promise<void>;
  /** Stops everything and leaves no handle open. */
  stop(): Promise<void>;
}

/** A running cluster with an object gateway. */
export interface RunningS3Cluster extends RunningCluster {
  readonly s3: S3;
}

/** What an S3 client needs to know; paths name buckets (`forcePathStyle`). */
export interface S3 {
  /** `http://127.0.0.1:port`. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Faults that requests meet: docs/s3-faults.md. */
  readonly faults: {
    /** Rejects, saying what is wrong with the rule, when there is something. */
    add(rule: S3FaultRule): Promise<S3FaultReport>;
    /** In the order in which they were set. */
    list(): Promise<readonly S3FaultReport[]>;
    /** Takes back one, or all. */
    clear(id?: number): Promise<void>;
  };
}

/** Which requests, when, and what becomes of them: at least one of the effects. */
export interface S3FaultRule {
  /** AWS's names, such as GetObject; in a text several are apart by `|`. */
  readonly operation?: string | readonly string[];
  readonly bucket?: string;
  /** What keys begin with. */
  readonly prefix?: string;
  /** Who asks. */
  readonly uid?: string;
  readonly method?: string;

  /** 0 .. 1 (1). */
  readonly probability?: number;
  /** Fires so often at most. */
  readonly count?: number;
  /** The first so many that match pass. */
  readonly after?: number;
  /** Seconds since the rule was set. */
  readonly from?: number;
  readonly until?: number;
  /** One seed and the same requests, the same faults (1). */
  readonly seed?: number;

  /** Effect: waits so many milliseconds, or as a distribution says. */
  readonly latency?:
    | number
    | `uniform:${number}:${number}`
    | `normal:${number}:${number}`
    | `pareto:${number}:${number}`;
  /** Effect: TooManyRequests, InternalError or SlowDown is the answer, and nothing is done. */
  readonly error?: 429 | 500 | 503;
  /** Of the error, in seconds (1 for 429 and 503). */
  readonly retryAfter?: number;
  /**
   * Effect: the connection is reset before anything is done, after all is done instead of the answer, or after so many bytes of
   * the request's body (PUT, POST) or of the answer's.
   */
  readonly reset?: 'before' | 'after' | number;
  /** Effect: the connection ends after so many bytes of the answer's body. */
  readonly truncate?: number;
  /** Effect: bytes per second of bodies. */
  readonly throttle?: number;
  /** Effect: a list of objects lacks what was written in the last so many seconds. */
  readonly stale?: number;
}

export interface S3FaultReport {
  readonly id: number;
  readonly rule: S3FaultRule;
  /** Requests that it was for. */
  readonly matches: number;
  readonly firings: number;
  readonly ageSeconds: number;
}

/** A client of the cluster. Failures reject with an Error whose `code` is the negative errno. */
export interface ClusterConnection {
  /** Runs a monitor command such as `{ prefix: 'status', format: 'json' }` and gives its output. */
  command(command: Readonly<Record<string, unknown>>): Promise<string>;
  /** Objects of a pool. */
  pool(name: string): Promise<PoolConnection>;
  close(): Promise<void>;
}

export interface PoolConnection {
  /** Replaces the whole object. */
  writeFull(object: string, data: Uint8Array): Promise<void>;
  write(object: string, data: Uint8Array, offset?: number): Promise<void>;
  append(object: string, data: Uint8Array): Promise<void>;
  /** The whole object, or `length` bytes from `offset`. */
  read(object: string, offset?: number, length?: number): Promise<Uint8Array>;
  stat(object: string): Promise<{ readonly size: number; readonly mtime: Date }>;
  remove(object: string): Promise<void>;
  /** Calls a method of an object class, and gives what it answers; one that writes answers nothing. */
  exec(object: string, className: string, method: string, input?: Uint8Array): Promise<Uint8Array>;
  list(): AsyncIterable<string>;
  /** Is told of notifies of the object, until `stop`; connections and OSDs may come and go meanwhile. */
  watch(object: string, watcher: ObjectWatcher): Promise<{ stop(): Promise<void> }>;
  /** Tells all who watch the object, and waits up to `timeoutSeconds` (10) for their answers. */
  notify(object: string, data: Uint8Array, timeoutSeconds?: number): Promise<NotifyAnswers>;
}

export interface ObjectWatcher {
  /** What it returns, or resolves to, is the answer. */
  onNotify(data: Uint8Array): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** The watch has ended: its object was removed, or the cluster had not heard from this client for 30 s. */
  onBroken?(error: Error): void;
}

export interface NotifyAnswers {
  readonly answers: readonly Uint8Array[];
  /** How many watchers did not answer in time. */
  readonly silent: number;
}

/** A class whose methods clients call and OSDs run, on one object each. See docs/object-classes.md. */
export interface ObjectClass {
  readonly name: string;
  readonly methods: Readonly<Record<string, ObjectMethod>>;
}

export interface ObjectMethod {
  /** What it does with the object; what it does beyond that makes it fail with EIO. */
  readonly reads?: boolean;
  readonly writes?: boolean;
  /**
   * Runs to completion, without promises, and on what it is given alone: another OSD may run it again. Answers bytes or
   * nothing; throws a `ClassError` to fail. What else it throws is a bug, and ends the OSD.
   */
  run(object: CalledObject, input: Uint8Array): Uint8Array | undefined;
}

/**
 * The object that a method was called on. Reads show it as it is stored, before any change of the request; existence and
 * size follow the changes, which are made all together or not at all. Operations throw a `ClassError` with Ceph's errno.
 * Names and keys are strings of bytes: char codes up to 255.
 */
export interface CalledObject {
  /** Who asks. */
  readonly origin: { readonly type: number; readonly num: bigint };
  /** Bits of CEPH_FEATURE_* that the client's release has. */
  readonly clientFeatures: bigint;
  /** The release that every OSD has at least, and that every client must have (0: any); 16 is Pacific. */
  readonly requiredOsdRelease: number;
  readonly minCompatibleClient: number;
  /** The OSD's wall clock. */
  now(): { readonly sec: number; readonly nsec: number };
  randomBytes(count: number): Uint8Array;
  stat(): { readonly size: number };
  /** The newest snapshot that any write to the object knew of before this request; 0n: none. */
  snapsetSeq(): bigint;
  /** Who is told when somebody notifies of the object. */
  watchers(): readonly {
    readonly type: number;
    readonly num: bigint;
    readonly cookie: bigint;
    readonly timeoutSeconds: number;
  }[];
  create(exclusive: boolean): void;
  remove(): void;
  /** `flags`: CEPH_OSD_OP_FLAG_FADVISE_* hints. */
  read(offset: number, length: number, flags?: number): Uint8Array;
  write(offset: number, data: Uint8Array, flags?: number): void;
  writeFull(data: Uint8Array): void;
  truncate(size: number): void;
  zero(offset: number, length: number): void;
  getXattr(name: string): Uint8Array | undefined;
  getXattrs(): ReadonlyMap<string, Uint8Array>;
  setXattr(name: string, value: Uint8Array): void;
  omapGet(key: string): Uint8Array | undefined;
  omapGetByKeys(keys: Iterable<string>): ReadonlyMap<string, Uint8Array>;
  omapKeys(page: { readonly after?: string; readonly max: number }): {
    readonly keys: readonly string[];
    readonly more: boolean;
  };
  omapList(page: { readonly after?: string; readonly prefix?: string; readonly max: number }): {
    readonly entries: ReadonlyMap<string, Uint8Array>;
    readonly more: boolean;
  };
  omapHeader(): Uint8Array;
  omapSet(entries: ReadonlyMap<string, Uint8Array>): void;
  omapSetHeader(header: Uint8Array): void;
  omapRemove(keys: readonly string[]): void;
  omapRemoveRange(first: string, last: string): void;
  omapClear(): void;
}

/** A method fails with an errno, and nothing of its request is kept. */
export declare class ClassError extends Error {
  /** Negative errno. */
  readonly code: number;
  constructor(code: number);
}

/** Starts a cluster and resolves when it is HEALTH_OK. */
export declare function startCluster(options: ClusterOptions & { readonly rgw: true }): Promise<RunningS3Cluster>;
export declare function startCluster(options?: ClusterOptions): Promise<RunningCluster>;
