import type { RawString } from '@spirula/encoding';
import { element, type XmlNode } from '../xml-writer.ts';

/** Whose something is. `id` with its tenant in front (`tenant$user`) when it has one. */
export interface Owner {
  readonly id: RawString;
  readonly displayName: RawString;
}

/** `Owner` or `Initiator` (dump_owner). */
export function ownerElement({ id, displayName }: Owner, name: 'Owner' | 'Initiator' = 'Owner'): XmlNode {
  return element(name, [element('ID', id), element('DisplayName', displayName)]);
}

/** `Tenant` stands before a bucket's name in answers when there is one. */
export function tenantElement(tenant: RawString | undefined): XmlNode | undefined {
  return tenant === undefined || tenant === '' ? undefined : element('Tenant', tenant);
}
