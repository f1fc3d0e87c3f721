/** Where a traced run says what happens; without one, each place that would say something only finds that there is none. */
import { type EntityName, formatPgId, type PgId } from '@spirula/encoding';
import type { Message } from '@spirula/messages';
import type { Instant, Log, WorldEvent } from '@spirula/world';
import type { MessageEntry, TraceEntry, TraceHeader, TraceMoment, TraceSink } from './trace.ts';
import { toTraceValue } from './trace-value.ts';

/** A message on its way, as its delivery needs to know it. */
export type SentMessage = Pick<MessageEntry, 'id' | 'from' | 'to' | 'type' | 'bytes' | 'tid' | 'pgid'>;

type WithoutMoment<E> = E extends TraceMoment ? Omit<E, keyof TraceMoment> : never;

/** What time it is, and which event is handled. */
interface Progress {
  readonly now: Instant;
  readonly events: number;
}

export class Tracer {
  readonly #sink: TraceSink;
  readonly #progress: Progress;
  #messages = 0;

  constructor(sink: TraceSink, progress: Progress) {
    this.#sink = sink;
    this.#progress = progress;
  }

  begin(header: TraceHeader): void {
    this.#sink.record(header);
  }

  /** Adds when it happens: now. */
  record(entry: WithoutMoment<Exclude<TraceEntry, TraceHeader>>): void {
    this.#sink.record({ at: this.#progress.now, event: this.#progress.events, ...entry } as TraceEntry);
  }

  sent(from: string, to: string, session: number, message: Message, bytes: number): SentMessage {
    this.#messages += 1;
    const { type, ...rest } = message;
    const { tid, pgid } = rest as { readonly tid?: unknown; readonly pgid?: PgId };
    const sent: SentMessage = {
      id: this.#messages,
      from,
      to,
      type,
      bytes,
      ...(tid !== undefined && { tid: String(tid) }),
      ...(pgid !== undefined && { pgid: formatPgId(pgid) }),
    };
    this.record({ kind: 'message', what: 'send', session, ...sent, payload: toTraceValue(rest) });
    return sent;
  }

  /** An event is about to be handled; `sent` is the message's, when tracing had begun when it was sent. */
  event(daemon: string, event: WorldEvent<Message>, sent: SentMessage | undefined): void {
    switch (event.kind) {
      case 'message':
        if (sent !== undefined) this.record({ kind: 'message', what: 'deliver', session: event.session, ...sent });
        break;
      case 'timer':
        this.record({ kind: 'timer', daemon, name: event.name });
        break;
      case 'committed':
      case 'flushed':
        this.record({ kind: 'disk', daemon, what: event.kind, token: event.token });
        break;
      case 'accepted':
      case 'opened':
        this.record({
          kind: 'session',
          daemon,
          what: event.kind,
          session: event.session,
          peer: nameOf(event.peer.entity),
        });
        break;
      case 'reset': {
        const reason = `${event.reason}: ${event.detail}`;
        this.record({ kind: 'session', daemon, what: 'reset', session: event.session, reason });
        break;
      }
      case 'drained':
        this.record({ kind: 'session', daemon, what: 'drained', session: event.session });
        break;
      case 'storageFailed':
        this.record({ kind: 'disk', daemon, what: 'failed', error: event.detail });
        break;
      case 'posted':
        this.log(daemon, 'debug', 'posted', { token: event.token, outcome: event.detail });
        break;
      case 'terminate':
        this.record({ kind: 'process', daemon, what: 'terminate' });
        break;
    }
  }

  log(daemon: string, level: keyof Log, text: string, facts: Record<string, unknown> | undefined): void {
    this.record({ kind: 'log', daemon, level, text, ...(facts && { facts: toTraceValue(facts) }) });
  }
}

function nameOf({ type, id }: EntityName): string {
  return `${type}.${id}`;
}
