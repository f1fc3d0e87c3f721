import { Decoder, Encoder, type UTime } from '@spirula/encoding';

/** An alert that is not to be told of (health_mute_t, mon/health_check.h). */
export interface HealthMute {
  readonly code: string;
  /** When it is to end, for people; zero: never. */
  readonly ttl: UTime;
  /** Seconds it was given, and those that were left when this was written; 0: it does not end. */
  readonly lifetime: number;
  readonly left: number;
  /** It outlasts the alert. */
  readonly sticky: boolean;
  /** The alert's when it was muted; empty and 0 where sticky. */
  readonly summary: string;
  readonly count: number;
}

export type HealthMutes = ReadonlyMap<string, HealthMute>;

export const NO_TTL: UTime = { sec: 0, nsec: 0 };

/** Of the same size whatever the time is. */
export function encodeMutes(mutes: HealthMutes): Uint8Array {
  const to = new Encoder(128);
  to.list(mutes.values(), (mute) => {
    to.string(mute.code);
    to.u32(mute.ttl.sec);
    to.u32(mute.ttl.nsec);
    to.u32(mute.lifetime);
    to.u32(mute.left);
    to.bool(mute.sticky);
    to.string(mute.summary);
    to.u64(mute.count);
  });
  return to.finish();
}

/** @throws MalformedInput */
export function decodeMutes(bytes: Uint8Array): HealthMutes {
  const from = new Decoder(bytes);
  const mutes = from.list(
    'mutes',
    33,
    (): HealthMute => ({
      code: from.string('mute.code'),
      ttl: { sec: from.u32('mute.ttl'), nsec: from.u32('mute.ttl') },
      lifetime: from.u32('mute.lifetime'),
      left: from.u32('mute.left'),
      sticky: from.bool('mute.sticky'),
      summary: from.string('mute.summary'),
      count: from.u64('mute.count'),
    }),
  );
  return new Map(mutes.map((mute) => [mute.code, mute]));
}
