import type { EntityName, UTime, Uuid } from '@spirula/encoding';

/** One line of the cluster log. */
export interface LogEntry {
  readonly name: EntityName;
  readonly stamp: UTime;
  readonly seq: number;
  /** 0 debug, 1 info, 2 sec, 3 warn, 4 error. */
  readonly priority: number;
  readonly text: string;
  readonly channel: string;
}

/** Lines for the cluster log, or from it to a `log-*` subscriber (MLog). */
export interface LogMessage {
  readonly type: 'log';
  readonly fsid: Uuid;
  readonly entries: readonly LogEntry[];
}
