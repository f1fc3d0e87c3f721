/** Authentication method `none`: each side believes what the other says of itself (Ceph auth/none). */
import { Decoder, EMPTY, Encoder, type EntityName, type EntityTypeName } from '@spirula/encoding';
import {
  type AcceptingMethod,
  type AuthDecision,
  AuthMethod,
  type ConnectingAuth,
  ConnectionMode,
} from '@spirula/world';
import { decodeEntityName, encodeEntityName } from './entity-name.ts';

/** First byte of the payload: a session with a monitor, which hands out global ids, or one with another daemon. */
export const AuthPurpose = { authorizer: 1, monitor: 10 } as const;

/** What a session to `to` is for, by who opens it: monitors are no clients of one another. */
export function purposeOf(from: EntityTypeName, to: EntityTypeName): number {
  return to === 'mon' && from !== 'mon' ? AuthPurpose.monitor : AuthPurpose.authorizer;
}

/** What an accepting side is told by its peer. */
export interface Claim {
  readonly entity: EntityName;
  /** 0n: please assign one. */
  readonly globalId: bigint;
}

/** Connecting: says who this is. `globalId` 0n asks a monitor for one. */
export function noneConnecting(entity: EntityName, purpose: number, globalId: bigint): ConnectingAuth {
  return {
    method: AuthMethod.none,
    modes: [ConnectionMode.crc],
    request() {
      const payload = new Encoder(64);
      payload.u8(purpose);
      encodeEntityName(payload, entity);
      payload.u64big(globalId);
      return payload.finish();
    },
    more: () => new Decoder(EMPTY).fail('auth payload', 'auth none has no more to say'),
    done: () => undefined,
    refused: () => {},
  };
}

/** Accepting: takes the peer's word, as far as `authorize` does. There is no secret, so frames can only be of crc mode. */
export function noneAccepting(authorize: (claim: Claim) => AuthDecision): AcceptingMethod {
  return {
    method: AuthMethod.none,
    modes: [ConnectionMode.crc],
    begin: () => ({
      step(bytes) {
        const payload = new Decoder(bytes);
        const purpose = payload.u8('auth purpose');
        if (purpose !== AuthPurpose.monitor && purpose !== AuthPurpose.authorizer) {
          payload.fail('auth purpose', `is ${purpose}`);
        }
        const entity = decodeEntityName(payload);
        const decision = authorize({ entity, globalId: payload.u64big('global id') });
        if (decision.kind === 'refuse') {
          return { ...decision, detail: `${entity.type}.${entity.id} is refused with ${decision.code}` };
        }
        const { globalId } = decision;
        return { kind: 'done', peer: { entity, globalId }, payload: EMPTY, secrets: undefined };
      },
    }),
  };
}
