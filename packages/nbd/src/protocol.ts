/** Numbers of the Network Block Device protocol, fixed newstyle (github.com/NetworkBlockDevice/nbd, doc/proto.md). All are big-endian. */

export const Magic = {
  /** `NBDMAGIC` */
  hello: 0x4e42444d41474943n,
  /** `IHAVEOPT` */
  option: 0x49484156454f5054n,
  optionReply: 0x0003e889045565a9n,
  request: 0x25609513,
  simpleReply: 0x67446698,
  structuredReply: 0x668e33ef,
} as const;

export const HandshakeFlag = { fixedNewstyle: 1, noZeroes: 2 } as const;

export const Option = {
  exportName: 1,
  abort: 2,
  list: 3,
  startTls: 5,
  info: 6,
  go: 7,
  structuredReply: 8,
  listMetaContext: 9,
  setMetaContext: 10,
} as const;

const REFUSED = 0x8000_0000;
export const OptionReply = {
  ack: 1,
  server: 2,
  info: 3,
  metaContext: 4,
  unsupported: REFUSED + 1,
  invalid: REFUSED + 3,
  tlsRequired: REFUSED + 5,
  unknownExport: REFUSED + 6,
  tooBig: REFUSED + 9,
} as const;

export const Info = { export: 0, name: 1, description: 2, blockSize: 3 } as const;

export const ExportFlag = {
  hasFlags: 1 << 0,
  readOnly: 1 << 1,
  flush: 1 << 2,
  fua: 1 << 3,
  trim: 1 << 5,
  writeZeroes: 1 << 6,
  dontFragment: 1 << 7,
  multiConn: 1 << 8,
} as const;

export const Command = {
  read: 0,
  write: 1,
  disconnect: 2,
  flush: 3,
  trim: 4,
  writeZeroes: 6,
  blockStatus: 7,
} as const;

export const CommandFlag = { fua: 1 << 0, noHole: 1 << 1, dontFragment: 1 << 2, oneExtent: 1 << 3 } as const;

export const ReplyFlag = { done: 1 } as const;
export const ReplyType = { none: 0, offsetData: 1, offsetHole: 2, blockStatus: 5, error: 0x8001 } as const;

/** What clients know of errors; any other is EIO to them. */
export const NbdError = {
  EPERM: 1,
  EIO: 5,
  ENOMEM: 12,
  EINVAL: 22,
  ENOSPC: 28,
  EOVERFLOW: 75,
  ENOTSUP: 95,
  ESHUTDOWN: 108,
} as const;

/** States of extents in `base:allocation`. */
export const Allocation = { data: 0, holeOfZeros: 3 } as const;
export const BASE_ALLOCATION = 'base:allocation';

/** Bytes that one command may move; more is refused. */
export const MAX_COMMAND_BYTES = 32 << 20;
/** Bytes of an option. */
export const MAX_OPTION_BYTES = 64 << 10;
/** A name is at most so long. */
export const MAX_NAME_BYTES = 4096;
