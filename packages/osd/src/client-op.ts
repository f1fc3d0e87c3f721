/** One request of a client, and what it is answered. */
import type { OsdCaps } from '@spirula/auth';
import { EMPTY, type EntityAddr, type EVersion } from '@spirula/encoding';
import type { OsdOp, OsdOpMessage, OsdOpResult, PgLogEntry, ReqId } from '@spirula/messages';
import type { Instant, SessionId } from '@spirula/world';
import type { ClientIdentity } from './ops/watch-effect.ts';

export interface ClientOp {
  readonly session: SessionId;
  readonly client: ClientIdentity;
  /** From where its client comes. */
  readonly socketAddr: EntityAddr;
  /** What its client may do. */
  readonly caps: OsdCaps;
  readonly message: OsdOpMessage;
  /** Identifies the request however often it is sent. */
  readonly reqid: ReqId;
  /** Order of arrival on this OSD. */
  readonly arrival: number;
  readonly bytes: number;
  /** Undefined: nobody wants to know how long it takes. */
  readonly arrivedAt: Instant | undefined;
}

export interface Answer {
  /** 0 or more, or a negative errno. */
  readonly result: number;
  readonly ops: readonly OsdOpResult[];
  /** Of the log entry of a write; 0'0 for all else. */
  readonly replayVersion: EVersion;
  readonly userVersion: number;
}

/** What an op is answered that was not run. */
export function emptyResult(op: OsdOp): OsdOpResult {
  return { code: op.code, flags: op.flags, args: op.args, rval: 0, output: EMPTY };
}

/** Of a request that was carried out before (MOSDOpReply::set_op_returns). */
export function resultsAgain(
  { message }: ClientOp,
  { opReturns }: Pick<PgLogEntry, 'opReturns'>,
): readonly OsdOpResult[] {
  return message.ops.map((op, i) => ({ ...emptyResult(op), ...opReturns?.[i] }));
}
