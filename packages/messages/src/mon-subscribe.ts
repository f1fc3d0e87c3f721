export interface Subscription {
  /** First epoch wanted; 0: the newest, whole. */
  readonly start: number;
  /** End the subscription after the first answer. */
  readonly once: boolean;
}

/** Asks a monitor to send maps as they change (MMonSubscribe): `monmap`, `osdmap`, `mgrmap`, `config`, `log-info`, `osd_pg_creates` … */
export interface MonSubscribe {
  readonly type: 'mon_subscribe';
  readonly what: ReadonlyMap<string, Subscription>;
  readonly hostname: string;
}
