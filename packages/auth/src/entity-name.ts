import { type Decoder, type Encoder, type EntityName, EntityType, entityTypeName } from '@spirula/encoding';

/** `osd.3`, `client.admin`; monitors share the name `mon.`. */
export function formatEntityName({ type, id }: EntityName): string {
  return `${type}.${id}`;
}

/** EntityName of common/entity_name.h: type and string, not the numbered entity_name_t of messages. */
export function encodeEntityName(encoder: Encoder, { type, id }: EntityName): void {
  encoder.u32(EntityType[type]);
  encoder.string(id);
}

/** @throws MalformedInput */
export function decodeEntityName(decoder: Decoder): EntityName {
  const number = decoder.u32('entity type');
  const type = entityTypeName(number) ?? decoder.fail('entity type', `is ${number}`);
  return { type, id: decoder.string('entity id') };
}
