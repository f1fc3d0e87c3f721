/** Events of a simulation in a line each, the last ones kept. */
import type { Message } from '@spirula/messages';
import { inSeconds, type Lab } from '@spirula/sim-scenarios';
import type { SimProcess } from '@spirula/sim-world';
import type { Instant, Peer, WorldEvent } from '@spirula/world';

/** Events kept. */
const MAX_EVENTS = 1000;
/** Characters shown of what a message says. */
const MAX_CONTENT = 100;

interface Seen {
  readonly at: Instant;
  readonly number: number;
  readonly process: SimProcess;
  readonly event: WorldEvent<Message>;
  readonly peer: string | undefined;
}

export class EventRing {
  readonly #lab: Lab;
  readonly #seen: Seen[] = [];
  /** Who is at the other end of sessions that live. */
  readonly #peers = new Map<string, string>();
  /** Called with each event, as it is handled. */
  onEvent: ((line: string) => void) | undefined;

  constructor(lab: Lab) {
    this.#lab = lab;
    const { simulation } = lab;
    simulation.onEvent((process, event) => {
      const seen = {
        at: simulation.now,
        number: simulation.events,
        process,
        event,
        peer: this.#peerOf(process, event),
      };
      this.#seen[simulation.events % MAX_EVENTS] = seen;
      this.onEvent?.(print(seen));
    });
  }

  /** The last events, at most 1000, of all processes or of one. */
  last(count: number, of?: string): string[] {
    return Object.values(this.#seen)
      .filter(({ process }) => of === undefined || process.name === of)
      .sort((a, b) => a.number - b.number)
      .slice(-count)
      .map(print);
  }

  #peerOf({ number }: SimProcess, event: WorldEvent<Message>): string | undefined {
    if (!('session' in event)) return undefined;
    const key = `${number} ${event.session}`;
    if (event.kind === 'accepted' || event.kind === 'opened') this.#peers.set(key, this.#nameOf(event.peer));
    const peer = this.#peers.get(key);
    if (event.kind === 'reset') this.#peers.delete(key);
    return peer;
  }

  /** A monitor that was dialled is known by its rank. */
  #nameOf({ entity: { type, id } }: Peer): string {
    const rank = /^\d+$/.test(id) ? Number(id) : undefined;
    return type === 'mon' && rank !== undefined ? this.#lab.cluster.mons[rank]!.process.name : `${type}.${id}`;
  }
}

function print({ at, number, process, event, peer }: Seen): string {
  return `${inSeconds(at).padStart(9)} ${String(number).padStart(7)}  ${process.name.padEnd(8)} ${describe(event, peer)}`;
}

function describe(event: WorldEvent<Message>, peer: string | undefined): string {
  switch (event.kind) {
    case 'timer':
      return `timer ${event.name}`;
    case 'message': {
      const { type, ...content } = event.message;
      return `${type} from ${peer ?? 'a peer'} ${shorten(content)}`;
    }
    case 'accepted':
    case 'opened':
      return `session with ${peer} ${event.kind}`;
    case 'reset':
      return `session with ${peer ?? 'a peer'} lost: ${event.reason}`;
    case 'drained':
      return `session with ${peer ?? 'a peer'} drained`;
    case 'committed':
    case 'flushed':
      return `disk: ${event.token} ${event.kind}`;
    case 'storageFailed':
      return `disk: ${event.detail}`;
    case 'terminate':
      return 'terminate';
  }
}

function shorten(content: object): string {
  const text = JSON.stringify(content, (_, value: unknown) => {
    if (typeof value === 'bigint') return String(value);
    if (value instanceof Uint8Array) return `${value.length} bytes`;
    if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), item]));
    return value instanceof Set ? [...value] : value;
  }).replaceAll('"', '');
  return text.length > MAX_CONTENT ? `${text.slice(0, MAX_CONTENT)}...` : text;
}
