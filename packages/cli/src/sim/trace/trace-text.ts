/** A trace for people: one line an entry, in columns. */
import type { TraceEntry, TraceHeader } from '@spirula/sim-world';

const MICROSECONDS = 1_000_000;
const TIME_WIDTH = 12;
const EVENT_WIDTH = 8;
/** The longest kind, which is `violation`. */
const KIND_WIDTH = 9;
/** Of a payload; `--format json` shows all that was recorded. */
const MAX_PAYLOAD = 200;

export class TraceText {
  readonly #width: number;

  constructor(header: TraceHeader) {
    this.#width = Math.max(...header.daemons.map((name) => name.length), 1);
  }

  header({ scenario, seed, daemons }: TraceHeader): string {
    const columns = [
      'seconds'.padStart(TIME_WIDTH),
      'event'.padStart(EVENT_WIDTH),
      'daemon'.padEnd(this.#width),
      'kind',
    ];
    return `${scenario}, seed ${seed}: ${daemons.join(' ')}\n${columns.join('  ')}`;
  }

  /** The line of an entry, without its end. */
  line(entry: Exclude<TraceEntry, TraceHeader>): string {
    const seconds = `${Math.floor(entry.at / MICROSECONDS)}.${String(entry.at % MICROSECONDS).padStart(6, '0')}`;
    const [daemon, text] = this.#describe(entry);
    return [
      seconds.padStart(TIME_WIDTH),
      String(entry.event).padStart(EVENT_WIDTH),
      daemon.padEnd(this.#width),
      entry.kind.padEnd(KIND_WIDTH),
      text,
    ].join('  ');
  }

  #describe(entry: Exclude<TraceEntry, TraceHeader>): readonly [daemon: string, text: string] {
    switch (entry.kind) {
      case 'message': {
        const { what, from, to, type, bytes, tid, pgid, id, session, payload } = entry;
        const sends = what === 'send';
        const facts = join([
          pgid && `pg ${pgid}`,
          tid && `tid ${tid}`,
          `${bytes} B`,
          `session ${session}`,
          `#${id}`,
          payload !== undefined && shorten(payload),
        ]);
        return [
          sends ? from : to,
          `${sends ? '──▶' : '◀──'} ${(sends ? to : from).padEnd(this.#width)}  ${type}  ${facts}`,
        ];
      }
      case 'timer':
        return [entry.daemon, entry.name];
      case 'disk': {
        const { what, token, ops, offset, bytes, error } = entry;
        return [
          entry.daemon,
          join([
            what,
            ops !== undefined && `${ops} operations`,
            offset !== undefined ? `${offset}~${bytes}` : bytes !== undefined && `${bytes} B`,
            token !== undefined && `token ${token}`,
            error && `failed: ${error}`,
          ]),
        ];
      }
      case 'session':
        return [entry.daemon, join([entry.what, `session ${entry.session}`, entry.peer, entry.reason])];
      case 'process':
        return [entry.daemon, join([entry.what, entry.reason])];
      case 'pg': {
        const { daemon, pgid, state, peering, primary, up, acting } = entry;
        if (peering === '') return [daemon, `${pgid} is gone`];
        const sets = `${up}` === `${acting}` ? `acting [${acting}]` : `up [${up}] acting [${acting}]`;
        return [daemon, join([pgid, primary ? 'primary' : 'replica', state, peering, sets])];
      }
      case 'mon':
        return [entry.daemon, `${entry.role}, election epoch ${entry.electionEpoch}, quorum [${entry.quorum}]`];
      case 'paxos':
        return [entry.daemon, `version ${entry.lastCommitted}, from ${entry.firstCommitted} on`];
      case 'boot':
        return [entry.daemon, entry.state];
      case 'map':
        return [entry.daemon, `osdmap e${entry.epoch}`];
      case 'health':
        return [entry.daemon, join([entry.status, entry.checks.join(' ')])];
      case 'fault': {
        const { what, id, text, facts } = entry;
        return ['', join([what, `#${id}`, text, facts !== undefined && shorten(facts)])];
      }
      case 'client': {
        const { daemon, what, id, object, ops, result } = entry;
        return [
          daemon,
          join([what, `#${id}`, object, ops !== undefined && shorten(ops), result !== undefined && `result ${result}`]),
        ];
      }
      case 'log':
        return [entry.daemon, join([entry.level, entry.text, entry.facts !== undefined && shorten(entry.facts)])];
      case 'violation':
        return ['', entry.text];
      case 'end': {
        const { digest, problems } = entry;
        return ['', `digest ${digest}, ${problems.length === 0 ? 'clean' : `FAILED: ${problems.join('; ')}`}`];
      }
    }
  }
}

function join(parts: readonly (string | false | undefined)[]): string {
  return parts.filter((part) => part !== false && part !== undefined && part !== '').join('  ');
}

function shorten(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > MAX_PAYLOAD ? `${text.slice(0, MAX_PAYLOAD)}…` : text;
}
