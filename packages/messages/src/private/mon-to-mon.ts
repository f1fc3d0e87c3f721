/** What monitors say to one another: probes, elections, Paxos, store sync, forwarded requests. Private types. */

export type MonToMonMessage = never;
