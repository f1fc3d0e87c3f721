/**
 * The secrets that tickets are sealed with, one set for each type of service (KeyServer::_check_rotate of
 * auth/cephx/CephxKeyServer.cc, AuthMonitor::check_rotate): the leader replaces what is used up, all monitors agree on it.
 *
 *   auth_rotating   secrets -> by service, three generations each
 */
import {
  decodeSecretsByService,
  encodeSecretsByService,
  NO_SECRETS,
  type RotatingSecrets,
  rotate,
} from '@spirula/auth';
import { type EntityTypeName, equalBytes } from '@spirula/encoding';
import type { MonTransaction } from './mon-store.ts';
import type { PaxosService, ServiceContext } from './paxos-service.ts';

const PREFIX = 'auth_rotating';
const KEY = 'secrets';
/** Whom tickets are for: the monitors, to ask for more (`auth`), and each type of daemon. */
const SERVICES: readonly EntityTypeName[] = ['auth', 'mon', 'osd', 'mds', 'mgr'];

export class RotatingSecretsMonitor implements PaxosService {
  readonly #context: ServiceContext;
  /** Without keys nobody authenticates, and there are no tickets. */
  readonly #enabled: boolean;
  #committed: ReadonlyMap<string, RotatingSecrets> = new Map();
  #encoded: Uint8Array | undefined;
  #pending: ReadonlyMap<string, RotatingSecrets> | undefined;

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
    this.tick();
  }

  encodePending(transaction: MonTransaction): void {
    if (this.#pending !== undefined) transaction.put(PREFIX, KEY, encodeSecretsByService(this.#pending));
    this.#pending = undefined;
  }

  /** The leader's: replaces what is used up. */
  tick(): void {
    if (!this.#enabled || this.#pending !== undefined) return;
    const { config, crypto } = this.#context;
    const now = this.#context.wall();
    const rotated = SERVICES.map((service): readonly [EntityTypeName, RotatingSecrets] => {
      const ttl = service === 'auth' ? config.auth_mon_ticket_ttl : config.auth_service_ticket_ttl;
      return [service, rotate(this.#committed.get(service) ?? NO_SECRETS, now, ttl, crypto)];
    });
    if (rotated.every(([service, secrets]) => secrets === this.#committed.get(service))) return;
    this.#pending = new Map(rotated);
    this.#context.changed();
  }
}
