/**
 * Object gateways of a simulated cluster, and who works with them. All of it hangs on promises: who runs a scenario with
 * gateways lets them settle between events (`Simulation.runWithPromises`).
 */
import { fromUtf8, utf8 } from '@spirula/encoding';
import type { SeededRandom, Simulation } from '@spirula/sim-world';
import { type Instant, SECOND } from '@spirula/world';
import type { SimCluster } from '../cluster.ts';
import type { Injector } from '../faults/injector.ts';
import { GatewayPlace } from './gateway-place.ts';
import type { GatewaySpec } from './gateway-spec.ts';
import { ObjectClients } from './object-clients.ts';
import { endUploads, takeStock } from './object-stock.ts';
import { PassingBucket } from './passing-bucket.ts';
import { Resharders, STILL, STILL_KEYS } from './resharders.ts';
import { expectNoStaleIndex } from './stale-indexes.ts';
import { VersionClients, type Versioning } from './version-clients.ts';

const POLL: Instant = SECOND / 10;
/** How long versions are kept, or not, before it is changed. */
const PERIOD: Instant = 7 * SECOND;
/** Locks that gateways which crashed have taken are gone by then. */
const LOCK_TIME: Instant = 610 * SECOND;
/** rgw_reshard_bucket_lock_duration, and some. */
const RESHARD_LOCK_TIME: Instant = 60 * SECOND;
const CRASH_TIME: Instant = SECOND;

export class GatewayWork {
  readonly #simulation: Simulation;
  readonly #spec: GatewaySpec;
  readonly #random: SeededRandom;
  /** Those that clients ask. */
  readonly #places: readonly GatewayPlace[];
  readonly #objects: ObjectClients | undefined;
  readonly #versions: VersionClients | undefined;
  readonly #resharders: Resharders | undefined;
  readonly #passing: PassingBucket | undefined;
  #paused = false;
  /** What is done before clients begin, and between their periods. */
  #busy = 0;
  #begun = false;

  constructor(cluster: SimCluster, spec: GatewaySpec, injector: Injector) {
    const { simulation } = cluster;
    this.#simulation = simulation;
    this.#spec = spec;
    this.#random = simulation.random('gateways');
    this.#places = Array.from({ length: spec.count }, (_, i) => new GatewayPlace(cluster, `rgw${i}`));
    const crashSoon = ({ process }: GatewayPlace, after: Instant) => {
      injector.later(after, () => {
        const isUp = process.state === 'running';
        if (isUp)
          injector.inject({ fault: 'crash', daemons: [process.name] }, { forUs: CRASH_TIME, why: 'in a change' });
      });
    };
    const places = this.#places;
    if (spec.work.includes('objects')) this.#objects = new ObjectClients(simulation, places);
    if (spec.work.includes('versions')) {
      this.#versions = new VersionClients({ simulation, places, ...(spec.crash && { crashSoon }) });
    }
    if (spec.reshards) {
      const place = new GatewayPlace(cluster, 'rgw-reshard');
      const buckets = [this.#objects, this.#versions].flatMap((clients) => (clients ? [clients.bucket] : []));
      this.#resharders = new Resharders({ simulation, place, places, buckets, ...(spec.crash && { crashSoon }) });
    }
    if (spec.removes) this.#passing = new PassingBucket(simulation, places);
  }

  begin(): void {
    if (this.#objects) this.#attend(this.#workOnObjects(this.#objects));
    if (this.#versions) this.#attend(this.#workOnVersions(this.#versions));
    if (this.#resharders) this.#attend(this.#reshard(this.#resharders));
    this.#passing?.begin(this.#spec.clients);
  }

  /** Clients begin nothing more. */
  pause(): void {
    this.#paused = true;
    this.#objects?.pause();
    this.#versions?.pause();
    this.#resharders?.pause();
    this.#passing?.pause();
  }

  /** What is not as it should be once clients begin nothing more, a sentence each. */
  findUnrest(): string[] {
    const down = this.#places.filter(({ gateway }) => gateway === undefined);
    const working = this.#working;
    return [
      ...down.map(({ name }) => `gateway ${name} does not serve`),
      ...(working > 0 ? [`${working} requests to gateways are not answered`] : []),
    ];
  }

  get requests(): number {
    const stats = [this.#objects?.stats, this.#versions?.stats, this.#passing?.stats];
    return stats.reduce((sum, each) => sum + (each ? each.answered + each.refused + each.unknown : 0), 0);
  }

  /** Holds what is there against what clients were told; there must be no unrest. */
  async check(): Promise<void> {
    if (!this.#begun) this.#simulation.addViolation('no client of a gateway ever began');
    const objects = this.#objects;
    if (objects) {
      if (objects.interrupted.size > 0) await this.#sleep(LOCK_TIME);
      const place = this.#random.pick(this.#places);
      await endUploads(objects, place, () => this.#random.oneIn(2));
      await takeStock(objects, place, this.#spec.crash);
      objects.finish();
    }
    await this.#versions?.takeStock();
    this.#versions?.finish();
    await this.#passing?.takeStock();
    this.#passing?.finish();
    if (!this.#resharders) return;
    await this.#sleep(RESHARD_LOCK_TIME);
    await this.#resharders.check();
    await expectNoStaleIndex(this.#simulation, this.#random.pick(this.#places));
  }

  get #working(): number {
    const all = [this.#objects, this.#versions, this.#resharders, this.#passing];
    return all.reduce((sum, each) => sum + (each?.working ?? 0), this.#busy);
  }

  #attend(work: Promise<void>): void {
    this.#busy += 1;
    const done = () => {
      this.#busy -= 1;
    };
    work.then(done, (error: Error) => {
      this.#simulation.addViolation(error.stack ?? error.message);
      done();
    });
  }

  async #workOnObjects(clients: ObjectClients): Promise<void> {
    await this.#change({ method: 'PUT', target: `/${clients.bucket}` });
    this.#begun = true;
    if (!this.#paused) clients.begin(this.#spec.clients);
  }

  async #reshard(resharders: Resharders): Promise<void> {
    await this.#change({ method: 'PUT', target: `/${STILL}` });
    for (const key of STILL_KEYS) await this.#change({ method: 'PUT', target: `/${STILL}/${key}`, body: utf8(key) });
    if (!this.#paused) resharders.begin();
  }

  /** In periods: nobody works while it is changed whether versions are kept. */
  async #workOnVersions(clients: VersionClients): Promise<void> {
    await this.#change({ method: 'PUT', target: `/${clients.bucket}` });
    this.#begun = true;
    for (let period = 0; !this.#paused; period++) {
      clients.versioning = this.#spec.suspends && period % 2 === 1 ? 'Suspended' : 'Enabled';
      await this.#change({
        method: 'PUT',
        target: `/${clients.bucket}?versioning`,
        body: versioningDocument(clients.versioning),
      });
      if (this.#paused) return;
      clients.begin(this.#spec.clients);
      await this.#sleep(PERIOD);
      clients.pause();
      while (clients.working > 0) await this.#sleep(POLL);
    }
  }

  /** Asks until it is done, of whichever gateway answers. */
  async #change(asked: Parameters<GatewayPlace['ask']>[0]): Promise<void> {
    for (;;) {
      const place = this.#places.find(({ gateway }) => gateway !== undefined);
      const answer = await place?.ask(asked);
      if (answer?.status === 200) return;
      if (answer && answer.status !== 503) {
        throw new Error(`${asked.method} ${asked.target}: ${answer.status} ${fromUtf8(answer.body)}`);
      }
      await this.#sleep(POLL);
    }
  }

  #sleep(time: Instant): Promise<void> {
    return new Promise((resolve) => this.#simulation.after(time, resolve));
  }
}

function versioningDocument(status: Versioning) {
  return utf8(`<VersioningConfiguration><Status>${status}</Status></VersioningConfiguration>`);
}
