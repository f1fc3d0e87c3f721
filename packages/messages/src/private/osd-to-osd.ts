/** What OSDs say to one another: heartbeats, peering, replication, recovery. Private types. */
import type { PrivateCodecs } from './schema.ts';

export type OsdToOsdMessage = never;

export const privateCodecs = {} satisfies PrivateCodecs<OsdToOsdMessage>;
