/** Tells a trace what a cluster's daemons are like, each time one has changed. What they say and do the world tells by itself. */
import { type SimProcess, TRACE_VERSION, type Tracer, type TraceSink, toTraceValue } from '@spirula/sim-world';
import type { ClientPlace, OsdPlace, SimCluster } from './cluster.ts';
import type { MonPlace } from './mon-operator.ts';

interface TraceSubject {
  readonly scenario: string;
  /** What the seed drew. */
  readonly config: unknown;
}

export class TraceRecorder {
  readonly #cluster: SimCluster;
  readonly #sink: TraceSink;
  readonly #watches = new Map<SimProcess, Watch>();

  constructor(cluster: SimCluster, sink: TraceSink) {
    this.#cluster = cluster;
    this.#sink = sink;
  }

  /** Before any daemon starts. */
  begin({ scenario, config }: TraceSubject): void {
    const { simulation, mons, osds, clients } = this.#cluster;
    simulation.traceTo(this.#sink);
    const tracer = simulation.tracer!;
    tracer.begin({
      kind: 'header',
      version: TRACE_VERSION,
      scenario,
      seed: simulation.seed,
      config: toTraceValue(config),
      daemons: simulation.processes.map(({ name }) => name),
    });
    for (const place of mons) this.#watches.set(place.process, new MonWatch(tracer, place));
    for (const place of osds) this.#watches.set(place.process, new OsdWatch(tracer, place));
    for (const place of clients) this.#watches.set(place.process, new ClientWatch(tracer, place));
    simulation.onEvent((process) => this.#watches.get(process)?.look());
    simulation.onProcessExit((process) => this.#watches.get(process)?.forget());
  }
}

/** Compares a daemon with what it was after its event before. */
interface Watch {
  look(): void;
  /** The daemon's run is over: the next begins with nothing. */
  forget(): void;
}

/** Says a thing when it differs from what was said last. */
class Said {
  readonly #texts = new Map<string, string>();

  isNews(subject: string, text: string): boolean {
    if (this.#texts.get(subject) === text) return false;
    this.#texts.set(subject, text);
    return true;
  }

  /** Subjects that were said something of and are not among `present`; each is told once. */
  takeAbsent(present: ReadonlySet<string>): string[] {
    const absent = [...this.#texts.keys()].filter((subject) => !present.has(subject));
    for (const subject of absent) this.#texts.delete(subject);
    return absent;
  }

  forget(): void {
    this.#texts.clear();
  }
}

class MonWatch implements Watch {
  readonly #tracer: Tracer;
  readonly #place: MonPlace;
  readonly #said = new Said();

  constructor(tracer: Tracer, place: MonPlace) {
    this.#tracer = tracer;
    this.#place = place;
  }

  look(): void {
    const { role, epoch, quorum, firstCommitted, lastCommitted, osdMap, health } = this.#place.daemon!.inspect();
    const daemon = this.#place.process.name;
    if (this.#said.isNews('mon', `${role} ${epoch} ${quorum}`)) {
      this.#tracer.record({ kind: 'mon', daemon, role, electionEpoch: epoch, quorum });
    }
    const mapEpoch = osdMap?.epoch ?? 0;
    if (this.#said.isNews('map', `${mapEpoch}`) && mapEpoch > 0) {
      this.#tracer.record({ kind: 'map', daemon, epoch: mapEpoch });
    }
    if (this.#said.isNews('paxos', `${lastCommitted}`)) {
      this.#tracer.record({ kind: 'paxos', daemon, firstCommitted, lastCommitted });
    }
    // What health is made of is committed, or told by the manager, which makes a commit too.
    if (role !== 'leader' || !this.#said.isNews('judged', `${lastCommitted} ${quorum}`)) return;
    const { status, checks } = health();
    const codes = [...checks.keys()];
    if (this.#said.isNews('health', `${status} ${codes}`)) {
      this.#tracer.record({ kind: 'health', daemon, status, checks: codes });
    }
  }

  forget(): void {
    this.#said.forget();
  }
}

class OsdWatch implements Watch {
  readonly #tracer: Tracer;
  readonly #place: OsdPlace;
  readonly #said = new Said();
  readonly #pgs = new Said();

  constructor(tracer: Tracer, place: OsdPlace) {
    this.#tracer = tracer;
    this.#place = place;
  }

  look(): void {
    const { boot, epoch, pgs } = this.#place.daemon!.inspect();
    const daemon = this.#place.process.name;
    if (this.#said.isNews('boot', boot)) this.#tracer.record({ kind: 'boot', daemon, state: boot });
    if (this.#said.isNews('map', `${epoch}`) && epoch > 0) this.#tracer.record({ kind: 'map', daemon, epoch });
    for (const { pgid, peering, state, isPrimary: primary, up, acting } of pgs) {
      if (!this.#pgs.isNews(pgid, `${peering} ${state} ${primary} ${up} ${acting}`)) continue;
      this.#tracer.record({ kind: 'pg', daemon, pgid, state, peering, primary, up, acting });
    }
    for (const pgid of this.#pgs.takeAbsent(new Set(pgs.map((pg) => pg.pgid)))) {
      this.#tracer.record({ kind: 'pg', daemon, pgid, state: '', peering: '', primary: false, up: [], acting: [] });
    }
  }

  forget(): void {
    this.#said.forget();
    this.#pgs.forget();
  }
}

class ClientWatch implements Watch {
  readonly #tracer: Tracer;
  readonly #place: ClientPlace;
  #epoch = 0;

  constructor(tracer: Tracer, place: ClientPlace) {
    this.#tracer = tracer;
    this.#place = place;
  }

  look(): void {
    const epoch = this.#place.daemon!.objecter.map?.epoch ?? 0;
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#tracer.record({ kind: 'map', daemon: this.#place.process.name, epoch });
  }

  forget(): void {
    this.#epoch = 0;
  }
}
