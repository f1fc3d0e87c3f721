export {
  type Bytes,
  bytesFromRaw,
  compareBytes,
  concatBytes,
  EMPTY,
  equalBytes,
  fromHex,
  fromUtf8,
  type RawString,
  rawFromBytes,
  rawFromText,
  textFromRaw,
  toHex,
  utf8,
} from './bytes.ts';
export { type CivilDate, civilDate, daysFromCivil } from './civil-date.ts';
export { crc32c } from './crc32c.ts';
export { Decoder } from './decoder.ts';
export { Encoder } from './encoder.ts';
export { decodeAddr, decodeAddrVec, encodeAddr, encodeAddrVec, parseEntityAddr } from './entity-addr.ts';
export { Errno } from './errno.ts';
export { MalformedInput } from './errors.ts';
export { formatFloat } from './float-text.ts';
export {
  decodeEVersion,
  decodePgId,
  decodeUTime,
  decodeUuid,
  encodeEVersion,
  encodePgId,
  encodeUTime,
} from './structs.ts';
export {
  AddrType,
  type AddrVec,
  comparePgIds,
  compareVersions,
  type EntityAddr,
  type EntityName,
  EntityType,
  type EntityTypeName,
  type Epoch,
  type EVersion,
  entityTypeName,
  formatAddr,
  formatAddrVec,
  formatPgId,
  formatSockaddr,
  formatUuid,
  formatVersion,
  type OsdId,
  type PgId,
  type PoolId,
  parsePgId,
  parseUuid,
  sameAddr,
  sameAddrVec,
  type UTime,
  type Uuid,
  type Weight16,
} from './types.ts';
export { addSeconds, compareUTimes, formatUTime } from './utime.ts';
export { xxhash32, xxhash64 } from './xxhash.ts';
