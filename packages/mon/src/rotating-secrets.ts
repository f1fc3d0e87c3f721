/**
 * The secrets that tickets are sealed with, one set for each type of service (KeyServer::_check_rotate of
 * auth/cephx/CephxKeyServer.cc, AuthMonitor::check_rotate): the leader replaces what is used up, all monitors agree on it.
 * Unlike Ceph it does not follow a wall clock that jumps: one generation goes at a time, about a ticket's life after the last,
 * or tickets that are still good would be refused.
 *
 *   auth_rotating   secrets -> by service, three generations each
 */
import {
  addGeneration,
  decodeSecretsByService,
  encodeSecretsByService,
  NO_SECRETS,
  needsRotation,
  type RotatingSecrets,
  rotate,
  secondsOf,
} from '@spirula/auth';
import { type EntityTypeName, equalBytes } from '@spirula/encoding';
import { type Instant, seconds } from '@spirula/world';
import type { MonTransaction } from './mon-store.ts';
import type { PaxosService, ServiceContext } from './paxos-service.ts';

const PREFIX = 'auth_rotating';
const KEY = 'secrets';
/** Whom tickets are for: the monitors, to ask for more (`auth`), and each type of daemon. */
const SERVICES: readonly EntityTypeName[] = ['auth', 'mon', 'osd', 'mds', 'mgr'];

/** In lives of a ticket: so soon after a generation, and no later than so long after it, comes the next. */
const [SOONEST, LATEST] = [0.75, 1.25];

export class RotatingSecretsMonitor implements PaxosService {
  readonly #context: ServiceContext;
  /** Without keys nobody authenticates, and there are no tickets. */
  readonly #enabled: boolean;
  #committed: ReadonlyMap<string, RotatingSecrets> = new Map();
  #encoded: Uint8Array | undefined;
  #pending: ReadonlyMap<string, RotatingSecrets> | undefined;
  /** When this leader, since it leads, made the last generation. */
  readonly #rotatedAt = new Map<EntityTypeName, Instant>();
  #leadingSince: Instant = 0;

  constructor(context: ServiceContext, enabled: boolean) {
    this.#context = context;
    this.#enabled = enabled;
  }

  get dirty(): boolean {
    return this.#pending !== undefined;
  }

  of(service: EntityTypeName): RotatingSecrets | undefined {
    return this.#committed.get(service);
  }

  refresh(): void {
    const bytes = this.#context.store.get(PREFIX, KEY);
    if (bytes === undefined || (this.#encoded !== undefined && equalBytes(bytes, this.#encoded))) return;
    this.#encoded = bytes;
    this.#committed = decodeSecretsByService(bytes);
  }

  onLeading(): void {
    this.#pending = undefined;
    this.#rotatedAt.clear();
    this.#leadingSince = this.#context.now();
    this.tick();
  }

  encodePending(transaction: MonTransaction): void {
    if (this.#pending !== undefined) transaction.put(PREFIX, KEY, encodeSecretsByService(this.#pending));
    this.#pending = undefined;
  }

  /** The leader's: replaces what is used up. */
  tick(): void {
    if (!this.#enabled || this.#pending !== undefined) return;
    const { config } = this.#context;
    const rotated = SERVICES.map((service): readonly [EntityTypeName, RotatingSecrets] => {
      const ttl = service === 'auth' ? config.auth_mon_ticket_ttl : config.auth_service_ticket_ttl;
      return [service, this.#rotate(service, this.#committed.get(service) ?? NO_SECRETS, ttl)];
    });
    if (rotated.every(([service, secrets]) => secrets === this.#committed.get(service))) return;
    this.#pending = new Map(rotated);
    this.#context.changed();
  }

  #rotate(service: EntityTypeName, secrets: RotatingSecrets, ttl: number): RotatingSecrets {
    const { crypto } = this.#context;
    const [now, wall] = [this.#context.now(), this.#context.wall()];
    const last = this.#rotatedAt.get(service);
    if (secrets.secrets.size === 0) return rotate(secrets, wall, ttl, crypto);
    const isSaidToBeDue = needsRotation(secrets, secondsOf(wall));
    const isDue =
      (isSaidToBeDue && (last === undefined || now >= last + seconds(ttl * SOONEST))) ||
      now >= (last ?? this.#leadingSince) + seconds(ttl * LATEST);
    if (!isDue) return secrets;
    this.#rotatedAt.set(service, now);
    return addGeneration(secrets, wall, ttl, crypto);
  }
}
