/** Asks for the newest epoch of a map (MMonGetVersion). */
export interface MonGetVersion {
  readonly type: 'mon_get_version';
  readonly tid: bigint;
  readonly handle: bigint;
  readonly what: string;
}

export interface MonGetVersionReply {
  readonly type: 'mon_get_version_reply';
  readonly tid: bigint;
  readonly handle: bigint;
  readonly newest: number;
  readonly oldest: number;
}
