/** What `rbd status` says of an image that migrates (tools/rbd/action/Status.cc). */
import { MigrationHeader } from '@spirula/cls';
import { textFromRaw } from '@spirula/encoding';
import type { Image } from '@spirula/rbd';
import type { VerbContext } from './verb.ts';

/** MIGRATION_STATE_* */
const MIGRATION_STATES = ['error', 'preparing', 'prepared', 'executing', 'executed', 'aborting'];

/** Of one that comes from elsewhere, in the order that rbd says it. */
export function migrationEnds({ rados }: VerbContext, { io, header, migration }: Image, name: string) {
  if (migration?.headerType !== MigrationHeader.destination) return undefined;
  return {
    source_pool_name: rados.poolName(Number(migration.poolId)) ?? '',
    source_pool_namespace: textFromRaw(migration.namespace),
    source_image_name: textFromRaw(migration.imageName),
    source_image_id: textFromRaw(migration.imageId),
    dest_pool_name: rados.poolName(io.pool) ?? '',
    dest_pool_namespace: textFromRaw(io.nspace),
    dest_image_name: name,
    dest_image_id: textFromRaw(header.id),
    state: MIGRATION_STATES[migration.state] ?? 'unknown',
    state_description: textFromRaw(migration.description),
  };
}

export function describeMigration(ends: NonNullable<ReturnType<typeof migrationEnds>>): string {
  const place = (pool: string, namespace: string, image: string) =>
    [pool, namespace, image].filter((part) => part !== '').join('/');
  const from = place(ends.source_pool_name, ends.source_pool_namespace, ends.source_image_name);
  const to = place(ends.dest_pool_name, ends.dest_pool_namespace, ends.dest_image_name);
  const state = ends.state_description === '' ? ends.state : `${ends.state} (${ends.state_description})`;
  return `Migration:\n\tsource: ${from} (${ends.source_image_id})\n\tdestination: ${to} (${ends.dest_image_id})\n\tstate: ${state}\n`;
}
