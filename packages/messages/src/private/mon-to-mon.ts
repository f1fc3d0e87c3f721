/** What monitors say to one another: probes, elections, Paxos, store sync, forwarded requests. Private types. */
import type { PrivateCodecs } from './schema.ts';

export type MonToMonMessage = never;

export const privateCodecs = {} satisfies PrivateCodecs<MonToMonMessage>;
