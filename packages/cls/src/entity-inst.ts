import { type Decoder, type Encoder, type EntityAddr, EntityType } from '@spirula/encoding';

/** Who sent a request: entity_inst_t. */
export interface EntityInst {
  /** `EntityType`. */
  readonly type: number;
  /** A client's global id, a daemon's number. */
  readonly num: bigint;
  readonly addr: EntityAddr;
}

/** entity_name_t. */
type EntityNumber = Pick<EntityInst, 'type' | 'num'>;

export function encodeEntityNumber(encoder: Encoder, { type, num }: EntityNumber): void {
  encoder.u8(type);
  encoder.u64big(num);
}

/** @throws MalformedInput */
export function decodeEntityNumber(decoder: Decoder): EntityNumber {
  return { type: decoder.u8('entity type'), num: decoder.i64big('entity num') };
}

/** `client.4161`, as Ceph prints an entity_name_t. */
export function entityNameText({ type, num }: EntityNumber): string {
  const [name = 'unknown'] = Object.entries(EntityType).find(([, code]) => code === type) ?? [];
  return num < 0n ? `${name}.?` : `${name}.${num}`;
}
