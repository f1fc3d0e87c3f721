import { formatUuid, type Uuid } from '@spirula/encoding';
import type { MethodContext } from './method-context.ts';

/** A random UUID (RFC 4122, version 4) as text (uuid_d::generate_random). */
export function randomUuid(object: Pick<MethodContext, 'randomBytes'>): string {
  const bytes = object.randomBytes(16).slice();
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return formatUuid(bytes as Uuid);
}
