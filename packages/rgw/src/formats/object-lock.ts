/** What keeps objects from being removed (rgw_object_lock.h): of a bucket the default, of an object its own. */
import { type Decoder, decodeUTime, type Encoder, encodeUTime, type UTime } from '@spirula/encoding';

/** DefaultRetention: how long new objects are kept, in days or in years. */
export interface DefaultRetention {
  /** `GOVERNANCE` or `COMPLIANCE`. */
  readonly mode: string;
  readonly days: number;
  readonly years: number;
}

/** RGWObjectLock: in the bucket's info. */
export interface ObjectLock {
  readonly enabled: boolean;
  readonly rule: DefaultRetention | undefined;
}

/** RGWObjectRetention: xattr `user.rgw.object-retention` of a head. */
export interface ObjectRetention {
  readonly mode: string;
  readonly retainUntil: UTime;
}

export function encodeObjectLock(to: Encoder, { enabled, rule }: ObjectLock): void {
  to.struct(1, 1, () => {
    to.bool(enabled);
    to.optional(rule, ({ mode, days, years }) => {
      to.struct(1, 1, () => {
        to.struct(1, 1, () => {
          to.string(mode);
          to.i32(days);
          to.i32(years);
        });
      });
    });
  });
}

/** @throws MalformedInput */
export function decodeObjectLock(from: Decoder): ObjectLock {
  return from.struct('object lock', 1, () => ({
    enabled: from.bool('enabled'),
    rule: from.optional('rule', () =>
      from.struct('object lock rule', 1, () =>
        from.struct('default retention', 1, () => ({
          mode: from.string('mode'),
          days: from.i32('days'),
          years: from.i32('years'),
        })),
      ),
    ),
  }));
}

export function encodeObjectRetention(to: Encoder, { mode, retainUntil }: ObjectRetention): void {
  to.struct(1, 1, () => {
    to.string(mode);
    encodeUTime(to, retainUntil);
  });
}

/** @throws MalformedInput */
export function decodeObjectRetention(from: Decoder): ObjectRetention {
  return from.struct('object retention', 1, () => ({
    mode: from.string('mode'),
    retainUntil: decodeUTime(from, 'retain until'),
  }));
}

/** RGWObjectLegalHold: xattr `user.rgw.object-legal-hold` of a head, `ON` or `OFF`. */
export function encodeLegalHold(to: Encoder, status: string): void {
  to.struct(1, 1, () => to.string(status));
}

/** @throws MalformedInput */
export function decodeLegalHold(from: Decoder): string {
  return from.struct('legal hold', 1, () => from.string('status'));
}
