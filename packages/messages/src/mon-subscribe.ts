import { Priority, type PublicCodec, STRING_BYTES } from './public-codec.ts';
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

const SUBSCRIPTION_BYTES = STRING_BYTES + 9;
/** CEPH_SUBSCRIBE_ONETIME. */
const ONETIME = 1;

export const monSubscribeCodec: PublicCodec<MonSubscribe> = {
  code: 15,
  version: 3,
  compat: 1,
  priority: Priority.normal,
  encodeFront(front, { what, hostname }) {
    front.map(
      new Map([...what].sort(([a], [b]) => (a < b ? -1 : 1))),
      (name) => front.string(name),
      ({ start, once }) => {
        front.u64(start);
        front.u8(once ? ONETIME : 0);
      },
    );
    front.string(hostname);
  },
  decode: (front) => ({
    type: 'mon_subscribe',
    what: front.map(
      'what',
      SUBSCRIPTION_BYTES,
      () => front.string('what'),
      () => ({ start: front.u64('start'), once: (front.u8('flags') & ONETIME) !== 0 }),
    ),
    hostname: front.string('hostname'),
  }),
};
