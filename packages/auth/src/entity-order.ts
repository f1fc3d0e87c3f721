/** Names of entities as text, and their order (common/entity_name.h). */
import { type EntityName, EntityType, type EntityTypeName } from '@spirula/encoding';

/** `client.admin`; the id may be empty, and hold dots. Undefined when there is no dot, or no such type. */
export function parseEntityName(text: string): EntityName | undefined {
  const dot = text.indexOf('.');
  const type = text.slice(0, dot);
  return dot > 0 && Object.hasOwn(EntityType, type)
    ? { type: type as EntityTypeName, id: text.slice(dot + 1) }
    : undefined;
}

/** The order in which Ceph lists entities: by the number of the type, then by id. Both names must parse. */
export function compareEntityNames(a: string, b: string): number {
  const [one, other] = [parseEntityName(a), parseEntityName(b)];
  if (one === undefined || other === undefined) return a < b ? -1 : Number(a > b);
  return EntityType[one.type] - EntityType[other.type] || (one.id < other.id ? -1 : Number(one.id > other.id));
}
