import type { EntityTypeName } from '@spirula/encoding';
import { type Instant, SECOND } from '@spirula/world';
import type { ServiceTicket, TicketBlob } from './cephx-ticket.ts';
import type { CryptoKey } from './crypto-key.ts';

interface Held {
  readonly sessionKey: CryptoKey;
  readonly ticket: TicketBlob;
  readonly renewAt: Instant;
}

/** Of a ticket's life, what is left when it is renewed (CephXTicketHandler). */
const RENEW_LEFT = 1 / 4;

/** The tickets that one client holds, by service: each replaced by its successor before it expires. */
export class Tickets {
  readonly #held = new Map<EntityTypeName, Held>();

  get(service: EntityTypeName): Held | undefined {
    return this.#held.get(service);
  }

  put(tickets: readonly ServiceTicket[], now: Instant): void {
    for (const { service, sessionKey, ticket, validForSeconds } of tickets) {
      const renewAt = now + Math.round(validForSeconds * (1 - RENEW_LEFT) * SECOND);
      this.#held.set(service, { sessionKey, ticket, renewAt });
    }
  }

  /** A service did not take its ticket: another is wanted now. */
  distrust(service: EntityTypeName, now: Instant): void {
    const held = this.#held.get(service);
    if (held !== undefined) this.#held.set(service, { ...held, renewAt: Math.min(held.renewAt, now) });
  }

  /** When the ticket for a service is to be renewed; at once when there is none. */
  renewAt(service: EntityTypeName): Instant {
    return this.#held.get(service)?.renewAt ?? Number.NEGATIVE_INFINITY;
  }

  clear(): void {
    this.#held.clear();
  }
}
