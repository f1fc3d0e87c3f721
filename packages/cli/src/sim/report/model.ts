/** What is drawn of a trace: entries by lane, messages with both their ends, and what lasted for a while as spans. */

import type { Embedded, Entry } from './embedded.ts';
import { colorOfHealth, colorOfPgState, familyOf } from './family.ts';

/** Something that lasted; `entry` began it. */
export interface Span {
  readonly from: number;
  to: number;
  readonly label: string;
  /** Custom property of the style sheet. */
  readonly color: string;
  readonly entry: number;
}

interface Fault extends Span {
  /** Lanes that it strikes; none: everyone. */
  readonly lanes: readonly number[];
  /** Row in the band of faults: those at the same time are below one another. */
  row: number;
  /** Over at once, or not known to have ended. */
  readonly isMoment: boolean;
}

interface Lane {
  readonly name: string;
  /** Process gone, or hung. */
  readonly absences: (Span & { readonly how: 'gone' | 'hung' })[];
  /** Role of a monitor, or how far an OSD is in booting, where that is not the usual. */
  readonly roles: Span[];
  /** Requests of a client, from question to answer. */
  readonly requests: Span[];
}

export interface MessageColumns {
  readonly count: number;
  readonly sent: Float64Array;
  /** NaN: not delivered within this trace. */
  readonly arrived: Float64Array;
  readonly from: Int16Array;
  readonly to: Int16Array;
  readonly family: Uint8Array;
  /** Entries of the two ends; -1: not in this trace. */
  readonly sendEntry: Int32Array;
  readonly deliverEntry: Int32Array;
}

export interface Mark {
  readonly at: number;
  readonly lane: number;
  readonly kind: 'timer' | 'disk' | 'map' | 'log' | 'paxos';
  readonly label: string;
  readonly entry: number;
}

export interface Model {
  readonly embedded: Embedded;
  /** Virtual time of the first and the last entry, in microseconds. */
  readonly begin: number;
  readonly end: number;
  /** By entry. */
  readonly at: Float64Array;
  /** Lane that an entry is drawn in; -1: none. */
  readonly laneOf: Int16Array;
  /** The message an entry is an end of; -1: none. */
  readonly messageOf: Int32Array;
  readonly lanes: readonly Lane[];
  readonly messages: MessageColumns;
  /** By time. */
  readonly marks: readonly Mark[];
  readonly faults: readonly Fault[];
  readonly faultRows: number;
  readonly health: readonly Span[];
  readonly quorum: readonly Span[];
  readonly pgs: readonly { readonly pgid: string; readonly spans: readonly Span[] }[];
  entry(index: number): Entry;
}

/** A kind of span of which one ends when the next begins. */
class Succession<S extends Span = Span> {
  readonly spans: S[] = [];
  #open = false;

  begin(span: S): void {
    this.end(span.from);
    this.spans.push(span);
    this.#open = true;
  }

  end(at: number): void {
    if (this.#open) this.spans.at(-1)!.to = at;
    this.#open = false;
  }
}

export function buildModel(embedded: Embedded): Model {
  return new ModelBuilder(embedded).build();
}

class ModelBuilder {
  readonly #embedded: Embedded;
  readonly #lanes: Lane[];
  readonly #laneNumbers: Map<string, number>;
  readonly #absences: Succession<Lane['absences'][number]>[];
  readonly #roles: Succession[];
  readonly #health = new Succession();
  readonly #quorum = new Succession();
  readonly #marks: Mark[] = [];
  readonly #faults = new Map<number, Fault>();
  readonly #requests = new Map<number, Span>();
  /** By PG: what its primary says, and who that is. */
  readonly #pgs = new Map<string, { readonly states: Succession; primary: string }>();
  #leader = '';
  #end = 0;

  constructor(embedded: Embedded) {
    this.#embedded = embedded;
    const { daemons } = embedded.header;
    this.#laneNumbers = new Map(daemons.map((name, lane) => [name, lane]));
    this.#absences = daemons.map(() => new Succession());
    this.#roles = daemons.map(() => new Succession());
    this.#lanes = daemons.map((name, lane) => ({
      name,
      absences: this.#absences[lane]!.spans,
      roles: this.#roles[lane]!.spans,
      requests: [],
    }));
  }

  build(): Model {
    const { lines, carried } = this.#embedded;
    const count = lines.length;
    const at = new Float64Array(count);
    const laneOf = new Int16Array(count).fill(-1);
    const messageOf = new Int32Array(count).fill(-1);
    const messages = newColumns(count);
    const byId = new Map<number, number>();
    let used = 0;
    this.#end = count === 0 ? 0 : (JSON.parse(lines[count - 1]!) as Entry).at;
    // Daemons are not there until they start.
    for (const lane of this.#lanes.keys()) this.#absent(lane, 'gone', 0, -1);
    for (let index = 0; index < count; index++) {
      const entry = JSON.parse(lines[index]!) as Entry;
      at[index] = entry.at;
      if (entry.kind === 'message') {
        let message = byId.get(entry.id);
        if (message === undefined) {
          message = used++;
          byId.set(entry.id, message);
          messages.from[message] = this.#laneNumbers.get(entry.from) ?? -1;
          messages.to[message] = this.#laneNumbers.get(entry.to) ?? -1;
          messages.family[message] = familyOf(entry.type);
          // Sent before this trace begins, until its sending is found.
          messages.sent[message] = entry.at;
        }
        messageOf[index] = message;
        if (entry.what === 'send') messages.sendEntry[message] = index;
        else {
          messages.deliverEntry[message] = index;
          messages.arrived[message] = entry.at;
        }
        laneOf[index] = this.#laneNumbers.get(entry.what === 'send' ? entry.from : entry.to) ?? -1;
      } else {
        if ('daemon' in entry) laneOf[index] = this.#laneNumbers.get(entry.daemon) ?? -1;
        this.#add(entry, index, laneOf[index]!);
      }
    }
    // Nothing is told of those: the filter left it out, and they need not be gone.
    for (const lane of this.#lanes) if (lane.absences.at(-1)?.entry === -1) lane.absences.length = 0;
    const faults = [...this.#faults.values()];
    return {
      embedded: this.#embedded,
      begin: count === 0 ? 0 : at[Math.min(carried, count - 1)]!,
      end: this.#end,
      at,
      laneOf,
      messageOf,
      lanes: this.#lanes,
      messages: { ...messages, count: used },
      marks: this.#marks,
      faults,
      faultRows: stack(faults),
      health: this.#health.spans,
      quorum: this.#quorum.spans,
      pgs: [...this.#pgs]
        .sort(([a], [b]) => comparePgIds(a, b))
        .map(([pgid, { states }]) => ({ pgid, spans: states.spans })),
      entry: (index) => JSON.parse(lines[index]!) as Entry,
    };
  }

  #add(entry: Entry, index: number, lane: number): void {
    const { at } = entry;
    const span = (label: string, color: string): Span => ({ from: at, to: this.#end, label, color, entry: index });
    const mark = (kind: Mark['kind'], label: string) => this.#marks.push({ at, lane, kind, label, entry: index });
    switch (entry.kind) {
      case 'timer':
        mark('timer', entry.name);
        break;
      case 'disk':
        mark('disk', entry.what);
        break;
      case 'map':
        mark('map', `e${entry.epoch}`);
        break;
      case 'paxos':
        mark('paxos', `v${entry.lastCommitted}`);
        break;
      case 'log':
        if (entry.level === 'warn' || entry.level === 'error') mark('log', entry.level);
        break;
      case 'process':
        this.#onProcess(entry, index, lane);
        break;
      case 'boot':
        if (entry.state === 'active') this.#roles[lane]?.end(at);
        else this.#roles[lane]?.begin(span(entry.state, '--recovery-band'));
        break;
      case 'mon':
        this.#onMonitor(entry, index, lane);
        break;
      case 'health':
        this.#health.begin(span([entry.status, ...entry.checks].join('  '), colorOfHealth(entry.status)));
        break;
      case 'pg':
        this.#onPg(entry, index);
        break;
      case 'fault':
        this.#onFault(entry, index);
        break;
      case 'violation':
        this.#faults.set(-index, { ...span(entry.text, '--bad'), to: at, lanes: [], row: 0, isMoment: true });
        break;
      case 'client':
        if (entry.what === 'request') {
          const request = span(entry.object, '--client');
          this.#requests.set(entry.id, request);
          this.#lanes[lane]?.requests.push(request);
        } else {
          const request = this.#requests.get(entry.id);
          if (request !== undefined) request.to = at;
        }
        break;
    }
  }

  #absent(lane: number, how: 'gone' | 'hung', from: number, entry: number): void {
    this.#absences[lane]?.begin({ from, to: this.#end, label: how, color: '--absent', entry, how });
  }

  #onProcess(entry: Extract<Entry, { kind: 'process' }>, index: number, lane: number): void {
    const { what, at, daemon } = entry;
    if (what === 'hang') this.#absent(lane, 'hung', at, index);
    else if (what === 'start' || what === 'resume') this.#absences[lane]?.end(at);
    else if (what === 'exit') {
      this.#absent(lane, 'gone', at, index);
      this.#roles[lane]?.end(at);
      if (daemon === this.#leader) this.#quorum.end(at);
      for (const pg of this.#pgs.values()) if (pg.primary === daemon) pg.states.end(at);
    }
  }

  #onMonitor(entry: Extract<Entry, { kind: 'mon' }>, index: number, lane: number): void {
    const { at, role, daemon, quorum, electionEpoch } = entry;
    const color = role === 'leader' ? '--good' : role === 'peon' ? '--keepalive' : '--warn';
    this.#roles[lane]?.begin({ from: at, to: this.#end, label: role, color, entry: index });
    if (role === 'leader') {
      const mons = this.#lanes.filter(({ name }) => name.startsWith('mon.')).map(({ name }) => name.slice(4));
      const names = quorum.map((rank) => mons[rank] ?? rank).join(' ');
      const all = quorum.length === mons.length;
      this.#leader = daemon;
      this.#quorum.begin({
        from: at,
        to: this.#end,
        label: `quorum ${names}, led by ${daemon}, election ${electionEpoch}`,
        color: all ? '--good' : '--warn',
        entry: index,
      });
    } else if (daemon === this.#leader) {
      this.#leader = '';
      this.#quorum.end(at);
    }
  }

  #onPg(entry: Extract<Entry, { kind: 'pg' }>, index: number): void {
    const { at, pgid, daemon, primary, state, peering, acting } = entry;
    let pg = this.#pgs.get(pgid);
    if (pg === undefined) {
      pg = { states: new Succession(), primary: '' };
      this.#pgs.set(pgid, pg);
    }
    if (primary) {
      pg.primary = daemon;
      const label = `${state}${state.startsWith('active') ? '' : ` (${peering})`}  ${daemon} [${acting}]`;
      const last = pg.states.spans.at(-1);
      if (last?.label === label && last.to === this.#end) return;
      pg.states.begin({ from: at, to: this.#end, label, color: colorOfPgState(state), entry: index });
    } else if (pg.primary === daemon) {
      pg.primary = '';
      pg.states.end(at);
    }
  }

  #onFault(entry: Extract<Entry, { kind: 'fault' }>, index: number): void {
    const { at, what, id, text = '', facts } = entry;
    if (what === 'healed') {
      const fault = this.#faults.get(id);
      if (fault !== undefined) this.#faults.set(id, { ...fault, to: at, isMoment: false });
      return;
    }
    const named = facts?.['daemons'];
    const lanes = Array.isArray(named) ? named.flatMap((name: string) => this.#laneNumbers.get(name) ?? []) : [];
    this.#faults.set(id, {
      from: at,
      to: at,
      label: text,
      color: '--fault',
      entry: index,
      lanes,
      row: 0,
      isMoment: true,
    });
  }
}

function newColumns(count: number): Omit<MessageColumns, 'count'> {
  return {
    sent: new Float64Array(count),
    arrived: new Float64Array(count).fill(Number.NaN),
    from: new Int16Array(count),
    to: new Int16Array(count),
    family: new Uint8Array(count),
    sendEntry: new Int32Array(count).fill(-1),
    deliverEntry: new Int32Array(count).fill(-1),
  };
}

/** Room that a fault's text takes at least, as a share of the whole time. */
const LABEL_SHARE = 0.06;
const MAX_ROWS = 8;

/** Gives each fault the first row that is free when it begins; returns how many there are. */
function stack(faults: readonly Fault[]): number {
  const last = faults.reduce((most, { to }) => Math.max(most, to), 0);
  const room = last * LABEL_SHARE;
  const freeFrom: number[] = [];
  for (const fault of faults) {
    let row = freeFrom.findIndex((free) => free <= fault.from);
    // When there are too many, over the one that ends first.
    if (row < 0) row = freeFrom.length < MAX_ROWS ? freeFrom.length : freeFrom.indexOf(Math.min(...freeFrom));
    fault.row = row;
    freeFrom[row] = Math.max(fault.to, fault.from + room);
  }
  return freeFrom.length;
}

function comparePgIds(a: string, b: string): number {
  const [poolA, seedA] = a.split('.');
  const [poolB, seedB] = b.split('.');
  return Number(poolA) - Number(poolB) || Number.parseInt(seedA!, 16) - Number.parseInt(seedB!, 16);
}
