/** What OSDs say to one another: heartbeats, peering, replication, recovery. Private types. */

export type OsdToOsdMessage = never;
