/** What pages of other origins may ask of a bucket (RGWCORSConfiguration, rgw_cors.h): its xattr `user.rgw.cors`. */
import type { Decoder, Encoder, RawString } from '@spirula/encoding';

/** RGW_CORS_*. */
export const CorsMethod = { GET: 0x1, PUT: 0x2, HEAD: 0x4, POST: 0x8, DELETE: 0x10, COPY: 0x20 } as const;

export interface CorsRule {
  /** '' without one. */
  readonly id: RawString;
  /** Undefined: browsers decide. */
  readonly maxAgeSeconds: number | undefined;
  /** `CorsMethod`s. */
  readonly methods: number;
  readonly allowedHeaders: readonly RawString[];
  readonly allowedOrigins: readonly RawString[];
  /** In the order given. */
  readonly exposedHeaders: readonly RawString[];
}

const NO_MAX_AGE = 0xffff_ffff;
/** Least bytes of a rule: a struct, a number, a byte, a string, three lists. */
const RULE_BYTES = 6 + 4 + 1 + 4 + 3 * 4;

export function encodeCors(to: Encoder, rules: readonly CorsRule[]): void {
  const text = (each: RawString) => to.rawString(each);
  to.struct(1, 1, () =>
    to.list(rules, (rule) =>
      to.struct(1, 1, () => {
        to.u32(rule.maxAgeSeconds ?? NO_MAX_AGE);
        to.u8(rule.methods);
        text(rule.id);
        to.list([...new Set(rule.allowedHeaders)].sort(), text);
        to.list([...new Set(rule.allowedOrigins)].sort(), text);
        to.list(rule.exposedHeaders, text);
      }),
    ),
  );
}

/** @throws MalformedInput */
export function decodeCors(from: Decoder): CorsRule[] {
  const texts = (field: string) => from.list(field, 4, () => from.rawString(field));
  return from.struct('cors', 1, () =>
    from.list('rules', RULE_BYTES, () =>
      from.struct('rule', 1, () => {
        const maxAge = from.u32('max age');
        return {
          maxAgeSeconds: maxAge === NO_MAX_AGE ? undefined : maxAge,
          methods: from.u8('methods'),
          id: from.rawString('id'),
          allowedHeaders: texts('allowed headers'),
          allowedOrigins: texts('allowed origins'),
          exposedHeaders: texts('exposed headers'),
        };
      }),
    ),
  );
}
