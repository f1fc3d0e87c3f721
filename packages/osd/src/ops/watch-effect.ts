import type { Bytes, EntityAddr } from '@spirula/encoding';
import type { NotifyAck, WatchItem } from '@spirula/messages';
import type { SessionId } from '@spirula/world';

/** Who asks. */
export interface ClientIdentity {
  readonly session: SessionId;
  readonly entityType: number;
  readonly entityNum: bigint;
  readonly addr: EntityAddr;
  /** CEPH_FEATURE_* bits of its release. */
  readonly features: bigint;
}

type WatchName = Pick<WatchItem, 'cookie' | 'entityType' | 'entityNum'>;

/** What ops bring about beside the object, when their request has succeeded. */
export type WatchEffect =
  /** The client's session is where the watcher is told. */
  | { readonly kind: 'connect'; readonly item: WatchItem; readonly pings: boolean }
  /** With `tell`, the watcher is told. */
  | { readonly kind: 'disconnect'; readonly watcher: WatchName; readonly tell: boolean }
  | { readonly kind: 'ping'; readonly watcher: WatchName }
  | {
      readonly kind: 'notify';
      readonly id: bigint;
      /** What the notifier calls it. */
      readonly cookie: bigint;
      readonly timeoutSeconds: number;
      readonly payload: Bytes;
    }
  | { readonly kind: 'ack'; readonly ack: NotifyAck };
