import type { Bytes } from './bytes.ts';

/** Number of an OSD, 0 .. max_osd-1. */
export type OsdId = number;
/** Number of a pool; never reused. */
export type PoolId = number;
/** Version of a map; starts at 1, 0 means none. */
export type Epoch = number;
/** 16.16 fixed point: 0x10000 is 1. */
export type Weight16 = number;

/** Wall time as Ceph encodes it (utime_t): seconds and nanoseconds since 1970. */
export interface UTime {
  readonly sec: number;
  readonly nsec: number;
}

/** One placement group: pool and seed (pg_t). */
export interface PgId {
  readonly pool: PoolId;
  readonly seed: number;
}

/** A version in a PG's log (eversion_t): ordered by epoch, then version. Encoded version first. */
export interface EVersion {
  readonly epoch: Epoch;
  readonly version: number;
}

/** CEPH_ENTITY_TYPE_*: what a peer says it is. */
export const EntityType = { mon: 1, mds: 2, osd: 4, client: 8, mgr: 16, auth: 32 } as const;
export type EntityTypeName = keyof typeof EntityType;

const entityTypeNames = new Map<number, EntityTypeName>(
  Object.entries(EntityType).map(([name, type]) => [type, name as EntityTypeName]),
);

/** The name of a CEPH_ENTITY_TYPE number; undefined when there is none such. */
export function entityTypeName(type: number): EntityTypeName | undefined {
  return entityTypeNames.get(type);
}

/** Name of a daemon or client: `osd.3`, `client.admin`. */
export interface EntityName {
  readonly type: EntityTypeName;
  readonly id: string;
}

/** entity_addr_t types. `v1` is msgr1 ("legacy"), `v2` is msgr2. */
export const AddrType = { none: 0, v1: 1, v2: 2, any: 3 } as const;

/** entity_addr_t. `family` 0 is a blank address (ip '' and port 0); 2 is IPv4, 10 is IPv6. */
export interface EntityAddr {
  readonly type: number;
  readonly nonce: number;
  readonly family: 0 | 2 | 10;
  readonly ip: string;
  readonly port: number;
}
/** entity_addrvec_t: the addresses one daemon listens on for one purpose; may be empty. */
export type AddrVec = readonly EntityAddr[];

/** 16 raw bytes (fsid, OSD uuid). */
export type Uuid = Bytes;

export function comparePgIds(a: PgId, b: PgId): number {
  return a.pool - b.pool || a.seed - b.seed;
}

export function compareVersions(a: EVersion, b: EVersion): number {
  return a.epoch - b.epoch || a.version - b.version;
}

/** `pool.seed` with the seed in hexadecimal, as Ceph prints it: `1.3f`. */
export function formatPgId(pg: PgId): string {
  return `${pg.pool}.${pg.seed.toString(16)}`;
}

/** The inverse of `formatPgId`; undefined when `text` is no PG id. */
export function parsePgId(text: string): PgId | undefined {
  const match = /^(\d+)\.([0-9a-f]{1,8})$/.exec(text);
  return match ? { pool: Number(match[1]), seed: Number.parseInt(match[2]!, 16) } : undefined;
}

/** `epoch'version`, as Ceph prints it. */
export function formatVersion(v: EVersion): string {
  return `${v.epoch}'${v.version}`;
}

/** `v2:127.0.0.1:6800/4711`; without a prefix when any protocol will do, `-` when there is no address. */
export function formatAddr(addr: EntityAddr): string {
  if (addr.type === AddrType.none) return '-';
  const prefix = addr.type === AddrType.v2 ? 'v2:' : addr.type === AddrType.v1 ? 'v1:' : '';
  return `${prefix}${formatSockaddr(addr)}/${addr.nonce}`;
}

/** Address and port: `127.0.0.1:6800`, `[::1]:6800`. */
export function formatSockaddr(addr: EntityAddr): string {
  if (addr.family === 0) return '(unrecognized address family 0)';
  return addr.family === 10 ? `[${addr.ip}]:${addr.port}` : `${addr.ip}:${addr.port}`;
}

/** One address as itself; several in brackets: `[v2:…,v1:…]`; none as nothing. */
export function formatAddrVec(addrs: AddrVec): string {
  return addrs.length > 1 ? `[${addrs.map(formatAddr).join(',')}]` : addrs.map(formatAddr).join('');
}

export function sameAddr(a: EntityAddr, b: EntityAddr): boolean {
  return a.type === b.type && a.nonce === b.nonce && a.ip === b.ip && a.port === b.port;
}

export function sameAddrVec(a: AddrVec, b: AddrVec): boolean {
  return a.length === b.length && a.every((addr, i) => sameAddr(addr, b[i]!));
}

export function formatUuid(uuid: Uuid): string {
  let text = '';
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += '-';
    text += uuid[i]!.toString(16).padStart(2, '0');
  }
  return text;
}

/** Sixteen bytes of a uuid's text form; undefined when it is none. */
export function parseUuid(text: string): Uuid | undefined {
  const hex = text.replaceAll('-', '');
  if (!/^[0-9a-f]{32}$/i.test(hex)) return undefined;
  const uuid = new Uint8Array(16);
  for (let i = 0; i < 16; i++) uuid[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return uuid;
}
