/** A daemon's counters under Ceph's names (common/perf_counters.cc): `perf dump`, `perf schema`, `perf reset`. */
import { Errno } from '@spirula/encoding';
import { type AdminCommand, adminCommand, refuse, say, sayDocuments, textOf } from './admin-command.ts';

/** Bits of a counter's type, as `perf schema` shows them. */
const U64 = 2;
const TIME = 1;
const LONG_RUN_AVG = 4;
const COUNTER = 8;

interface CounterTraits {
  readonly description: string;
  /** Short form for tables. */
  readonly nick?: string;
  /** 10 and above are of most interest. */
  readonly priority?: number;
  readonly units?: 'none' | 'bytes';
}

export type PerfCounter = CounterTraits &
  (
    | { readonly kind: 'gauge' | 'counter'; read(): number }
    /** How many, and the seconds that all of them took. */
    | { readonly kind: 'latency'; read(): { readonly count: number; readonly seconds: number } }
  );

/** Counters of one part of a daemon, by name. */
export type PerfLogger = Readonly<Record<string, PerfCounter>>;

export class PerfCounters {
  readonly #loggers: Readonly<Record<string, PerfLogger>>;
  /** What `perf reset` takes off. */
  readonly #bases = new Map<PerfCounter, { readonly count: number; readonly seconds: number }>();

  constructor(loggers: Readonly<Record<string, PerfLogger>>) {
    this.#loggers = loggers;
  }

  dump(logger?: string, counter?: string): Record<string, Record<string, unknown>> {
    return this.#map(logger, counter, (each) => this.#value(each));
  }

  schema(): Record<string, Record<string, unknown>> {
    return this.#map(undefined, undefined, describe);
  }

  /** False when there is no such part; `all` is every one. */
  reset(logger: string): boolean {
    if (logger !== 'all' && !Object.hasOwn(this.#loggers, logger)) return false;
    for (const [name, counters] of Object.entries(this.#loggers)) {
      if (logger === 'all' || logger === name) for (const each of Object.values(counters)) this.#reset(each);
    }
    return true;
  }

  #reset(counter: PerfCounter): void {
    if (counter.kind === 'gauge') return;
    this.#bases.set(counter, counter.kind === 'latency' ? counter.read() : { count: counter.read(), seconds: 0 });
  }

  #value(counter: PerfCounter): unknown {
    const base = this.#bases.get(counter) ?? { count: 0, seconds: 0 };
    if (counter.kind !== 'latency') return counter.read() - base.count;
    const { count, seconds } = counter.read();
    const avgcount = count - base.count;
    const sum = seconds - base.seconds;
    return { avgcount, sum, avgtime: avgcount > 0 ? sum / avgcount : 0 };
  }

  #map(
    logger: string | undefined,
    counter: string | undefined,
    show: (counter: PerfCounter) => unknown,
  ): Record<string, Record<string, unknown>> {
    const loggers = Object.entries(this.#loggers).filter(([name]) => !logger || logger === name);
    return Object.fromEntries(
      loggers.map(([name, counters]) => {
        const chosen = Object.entries(counters).filter(([each]) => !counter || counter === each);
        return [name, Object.fromEntries(chosen.map(([each, what]) => [each, show(what)]))];
      }),
    );
  }
}

function describe({ kind, description, nick = '', priority = 0, units = 'none' }: PerfCounter) {
  const isLatency = kind === 'latency';
  return {
    type: isLatency ? TIME | LONG_RUN_AVG : kind === 'counter' ? U64 | COUNTER : U64,
    metric_type: kind === 'counter' ? 'counter' : 'gauge',
    value_type: isLatency ? 'real-integer-pair' : 'integer',
    description,
    nick,
    priority,
    units,
  };
}

/** What the section of counters is called. */
const COLLECTION = 'perfcounter_collection';

export function perfCommands(perf: PerfCounters): readonly AdminCommand[] {
  const chosen = [
    { name: 'logger', type: 'CephString', req: 'false' },
    { name: 'counter', type: 'CephString', req: 'false' },
  ] as const;
  return [
    adminCommand(['perf', 'dump', ...chosen], 'show the counters', (args) =>
      sayDocuments({ json: perf.dump(textOf(args, 'logger'), textOf(args, 'counter')), root: COLLECTION }),
    ),
    adminCommand(['perf', 'schema'], 'explain the counters', () =>
      sayDocuments({ json: perf.schema(), root: COLLECTION }),
    ),
    adminCommand(
      ['perf', 'reset', { name: 'var', type: 'CephString' }],
      'let the counters of a part, or all, begin at 0 again',
      (args) => {
        const name = textOf(args, 'var');
        if (name === undefined) return refuse(Errno.EINVAL, 'invalid command json');
        return say(perf.reset(name) ? { success: `perf reset ${name}` } : { error: `Not find: ${name}` });
      },
      'rw',
    ),
  ];
}
