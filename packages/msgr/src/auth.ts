/**
 * Authentication methods as the handshake sees them. Only `none` is built: each side believes what the other says of
 * itself (Ceph auth/none).
 */
import {
  type Bytes,
  Decoder,
  EMPTY,
  Encoder,
  type EntityName,
  EntityType,
  type EntityTypeName,
} from '@spirula/encoding';

export const AuthMethod = { none: 1, cephx: 2 } as const;
/** How frames are protected once authentication is done. */
export const ConnectionMode = { crc: 1, secure: 2 } as const;
/** First byte of the payload: a session with a monitor, which hands out global ids, or one with another daemon. */
export const AuthPurpose = { authorizer: 1, monitor: 10 } as const;

/** What a connecting side proves and how. One per connection. */
export interface ClientAuth {
  readonly method: number;
  /** Connection modes it accepts, best first. */
  readonly modes: readonly number[];
  /** Payload of AUTH_REQUEST. */
  request(): Bytes;
  /** The AUTH_SIGNATURE this side sends, and the one it expects of the other, once AUTH_DONE is read. */
  signature(): Bytes;
}

/** What an accepting side learns of a peer from its AUTH_REQUEST. */
export interface Claim {
  readonly entity: EntityName;
  /** 0n: please assign one. */
  readonly globalId: bigint;
}

export interface ServerAuth {
  readonly method: number;
  readonly modes: readonly number[];
  /** @throws MalformedInput */
  readRequest(payload: Bytes): Claim;
  /** Payload of AUTH_DONE. */
  done(): Bytes;
  signature(): Bytes;
}

const NO_SIGNATURE: Bytes = new Uint8Array(32);
const typeNames = new Map<number, EntityTypeName>(
  Object.entries(EntityType).map(([name, type]) => [type, name as EntityTypeName]),
);

/** The name of a CEPH_ENTITY_TYPE number; undefined when there is none such. */
export function entityTypeName(type: number): EntityTypeName | undefined {
  return typeNames.get(type);
}

/** Auth none, connecting: says who this is. `globalId` 0n asks a monitor for one. */
export function noneClient(entity: EntityName, purpose: number, globalId: bigint): ClientAuth {
  return {
    method: AuthMethod.none,
    modes: [ConnectionMode.crc],
    request() {
      const payload = new Encoder(64);
      payload.u8(purpose);
      payload.u32(EntityType[entity.type]);
      payload.string(entity.id);
      payload.u64big(globalId);
      return payload.finish();
    },
    signature: () => NO_SIGNATURE,
  };
}

/** Auth none, accepting: takes the peer's word. There is no secret, so frames can only be of crc mode. */
export const noneServer: ServerAuth = {
  method: AuthMethod.none,
  modes: [ConnectionMode.crc],
  readRequest(bytes) {
    const payload = new Decoder(bytes);
    const purpose = payload.u8('auth purpose');
    if (purpose !== AuthPurpose.monitor && purpose !== AuthPurpose.authorizer) {
      payload.fail('auth purpose', `is ${purpose}`);
    }
    const number = payload.u32('entity type');
    const type = entityTypeName(number) ?? payload.fail('entity type', `is ${number}`);
    const id = payload.string('entity id');
    return { entity: { type, id }, globalId: payload.u64big('global id') };
  },
  done: () => EMPTY,
  signature: () => NO_SIGNATURE,
};
