/** Renews the read leases of all PGs, one message a peer and round (PeeringState::schedule_renew_lease). */
import type { Epoch, OsdId } from '@spirula/encoding';
import type { PgLeaseAcks, PgLeases } from '@spirula/messages';
import { type Instant, seconds, type WireMessage, type World } from '@spirula/world';
import type { PgDirectory } from './pg-directory.ts';

const LEASE_TIMER = 'osd leases';
/** Renewed so many times within a lease's length: one lost round does not interrupt reads. */
const ROUNDS = 3;

export interface LeaseRoundsHost {
  readonly world: World<WireMessage>;
  readonly pgs: PgDirectory;
  epoch(): Epoch;
  send(osd: OsdId, message: PgLeases | PgLeaseAcks): void;
}

export class LeaseRounds {
  readonly #host: LeaseRoundsHost;

  constructor(host: LeaseRoundsHost) {
    this.#host = host;
  }

  start(): void {
    const { clock, config } = this.#host.world;
    const length = seconds(config.osd_heartbeat_grace * config.osd_pool_default_read_lease_ratio);
    clock.arm(LEASE_TIMER, clock.now() + Math.floor(length / ROUNDS));
  }

  /** Returns whether the timer belongs here. */
  onTimer(name: string): boolean {
    if (name !== LEASE_TIMER) return false;
    const { world } = this.#host;
    if (!world.buggify('osd leaves out a round of leases')) this.#renew(world.clock.now());
    this.start();
    return true;
  }

  #renew(now: Instant): void {
    const byOsd = new Map<OsdId, PgLeases['leases'][number][]>();
    for (const pg of this.#host.pgs.all()) {
      const lease = pg.core.isPrimary ? pg.renewLease(now) : undefined;
      if (!lease) continue;
      for (const osd of pg.core.otherActing) {
        const leases = byOsd.get(osd) ?? [];
        leases.push({ pgid: pg.pgid, lease });
        byOsd.set(osd, leases);
      }
      // Alone in the acting set, a primary needs nobody's word.
      pg.ops.onReadable();
    }
    for (const [osd, leases] of byOsd) this.#host.send(osd, { type: 'pg_leases', epoch: this.#host.epoch(), leases });
  }

  onLeases(from: OsdId, { epoch, leases }: PgLeases): void {
    const acks: PgLeaseAcks['acks'][number][] = [];
    for (const { pgid, lease } of leases) {
      if (this.#host.pgs.get(pgid)?.onLease(from, epoch, lease)) acks.push({ pgid, until: lease.until });
    }
    if (acks.length === 0 || this.#host.world.buggify('osd acknowledges no leases')) return;
    this.#host.send(from, { type: 'pg_lease_acks', epoch: this.#host.epoch(), acks });
  }

  onAcks(from: OsdId, { epoch, acks }: PgLeaseAcks): void {
    for (const ack of acks) this.#host.pgs.get(ack.pgid)?.onLeaseAck(from, epoch, ack);
  }
}
