/** The panel that shows one entry: what it is, when, and all that was recorded of it. */
import type { Entry } from './embedded.ts';
import type { Model } from './model.ts';

/** Fields that the title or the line below it say already. */
const TOLD: ReadonlySet<string> = new Set(['at', 'event', 'kind', 'payload', 'facts', 'ops', 'config']);

/** One line: what an entry says. */
export function titleOf(entry: Entry): string {
  switch (entry.kind) {
    case 'message':
      return `${entry.type}, ${entry.from} → ${entry.to}${entry.what === 'deliver' ? ', delivered' : ''}`;
    case 'timer':
      return `${entry.daemon}: timer “${entry.name}”`;
    case 'disk':
      return `${entry.daemon}: disk ${entry.what}`;
    case 'session':
      return `${entry.daemon}: session ${entry.what}`;
    case 'process':
      return `${entry.daemon}: ${entry.what}${entry.reason === undefined ? '' : `, ${entry.reason}`}`;
    case 'pg':
      return entry.peering === ''
        ? `pg ${entry.pgid} leaves ${entry.daemon}`
        : `pg ${entry.pgid} ${entry.state} on ${entry.daemon}`;
    case 'mon':
      return `${entry.daemon} is ${entry.role}`;
    case 'paxos':
      return `${entry.daemon}: Paxos version ${entry.lastCommitted}`;
    case 'boot':
      return `${entry.daemon}: ${entry.state}`;
    case 'map':
      return `${entry.daemon} has OSDMap epoch ${entry.epoch}`;
    case 'health':
      return [entry.status, ...entry.checks].join(' ');
    case 'fault':
      return entry.text ?? `fault ${entry.id} is healed`;
    case 'client':
      return `${entry.daemon}: ${entry.what} on ${entry.object}`;
    case 'log':
      return `${entry.daemon}: ${entry.text}`;
    case 'violation':
      return entry.text;
    case 'end':
      return entry.problems.length === 0 ? 'the run ends clean' : 'the run ends, failed';
  }
}

/** Fills the panel. `goTo` selects another entry. */
export function showDetail(panel: HTMLElement, model: Model, index: number, goTo: (index: number) => void): void {
  const entry = model.entry(index);
  const close = make('button', 'close', '✕');
  close.title = 'Close (Esc)';
  close.addEventListener('click', () => panel.dispatchEvent(new Event('close')));
  const when = make('p', 'when', `${(entry.at / 1e6).toFixed(6)} s · event ${entry.event} · ${entry.kind}`);
  panel.replaceChildren(close, make('h2', '', titleOf(entry)), when, fieldsOf(entry));
  const other = otherEnd(model, index);
  const origin =
    other !== undefined && entry.kind === 'message' && entry.what === 'deliver' ? model.entry(other) : entry;
  for (const [heading, value] of [
    ['Payload', 'payload' in origin ? origin.payload : undefined],
    ['Operations', 'ops' in entry && typeof entry.ops === 'object' ? entry.ops : undefined],
    ['Facts', 'facts' in entry ? entry.facts : undefined],
  ] as const) {
    if (value === undefined) continue;
    panel.append(make('h3', '', heading), make('pre', '', JSON.stringify(value, undefined, 2)));
  }
  panel.append(stepsOf(model, index, other, goTo));
}

function fieldsOf(entry: Entry): HTMLElement {
  const list = make('dl', '', '');
  for (const [name, value] of Object.entries(entry)) {
    if (TOLD.has(name) && typeof value === 'object') continue;
    if (name === 'at' || name === 'event' || name === 'kind') continue;
    const text = Array.isArray(value) ? `[${value.join(', ')}]` : String(value);
    list.append(make('dt', '', name), make('dd', '', text));
  }
  return list;
}

/** The sending of a delivery, the delivery of a sending. */
function otherEnd(model: Model, index: number): number | undefined {
  const message = model.messageOf[index]!;
  if (message < 0) return undefined;
  const { sendEntry, deliverEntry } = model.messages;
  const other = sendEntry[message] === index ? deliverEntry[message]! : sendEntry[message]!;
  return other >= 0 ? other : undefined;
}

function stepsOf(model: Model, index: number, other: number | undefined, goTo: (index: number) => void): HTMLElement {
  const steps = make('div', 'steps', '');
  const add = (text: string, to: number | undefined) => {
    if (to === undefined) return;
    const button = make('button', '', text);
    button.addEventListener('click', () => goTo(to));
    steps.append(button);
  };
  if (other !== undefined) add(other > index ? 'Its delivery' : 'Its sending', other);
  add('Before, same daemon', neighborOf(model, index, -1));
  add('After, same daemon', neighborOf(model, index, 1));
  return steps;
}

function neighborOf({ laneOf }: Model, index: number, step: 1 | -1): number | undefined {
  const lane = laneOf[index]!;
  if (lane < 0) return undefined;
  for (let i = index + step; i >= 0 && i < laneOf.length; i += step) if (laneOf[i] === lane) return i;
  return undefined;
}

function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  text: string,
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className !== '') element.className = className;
  element.textContent = text;
  return element;
}
