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
import { VersionClients, type Versioning } from './version-clients.ts';

const POLL: Instant = SECOND / 10;
/** How long versions are kept, or not, before it is changed. */
const PERIOD: Instant = 7 * SECOND;
/** Locks that gateways which crashed have taken are gone by then. */
const LOCK_TIME: Instant = 610 * SECOND;
const CRASH_TIME: Instant = SECOND;

export class GatewayWork {
  readonly #simulation: Simulation;
  readonly #spec: GatewaySpec;
  readonly #random: SeededRandom;
  readonly #places: readonly GatewayPlace[];
  readonly #objects: ObjectClients | undefined;
  readonly #versions: VersionClients | undefined;
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
  }

  begin(): void {
    if (this.#objects) this.#attend(this.#workOnObjects(this.#objects));
    if (this.#versions) this.#attend(this.#workOnVersions(this.#versions));
  }

  /** Clients begin nothing more. */
  pause(): void {
    this.#paused = true;
    this.#objects?.pause();
    this.#versions?.pause();
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
    const stats = [this.#objects?.stats, this.#versions?.stats];
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
  }

  get #working(): number {
    return this.#busy + (this.#objects?.working ?? 0) + (this.#versions?.working ?? 0);
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
