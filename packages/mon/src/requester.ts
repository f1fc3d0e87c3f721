import type { AddrVec, EntityName } from '@spirula/encoding';
import type { Message } from '@spirula/messages';
import type { Rights } from './rights.ts';

/** Who asks, wherever the connection ends: at this monitor or at a peon that forwarded the request. */
export interface Requester {
  readonly entity: EntityName;
  readonly addrs: AddrVec;
  readonly globalId: bigint;
  readonly rights: Rights;
  /** A peon passed the request on. */
  readonly isForwarded: boolean;
  /** Whether the connection the request came by still stands. */
  isThere(): boolean;
  /** May come once, several times (maps), or never. */
  reply(message: Message): void;
  /** No reply will come: a peon may forget the request. */
  done(): void;
}

/** One request as it waits for a quorum, a leader or a commit. */
export interface Request {
  readonly from: Requester;
  readonly message: Message;
}

/** A command whose asker is gone is asked again elsewhere: carried out late, it could undo what came after it. */
export function isAbandoned({ from, message }: Request): boolean {
  return message.type === 'mon_command' && !from.isThere();
}
