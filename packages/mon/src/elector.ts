/**
 * Elections (mon/Elector.cc, mon/ElectionLogic.cc, the classic strategy): of the monitors that answer, the one of lowest
 * rank leads. The epoch is odd while electing and even in quorum; it only grows, and is stored before anybody hears of it.
 *
 *                 propose to all                     all in the map, or at the
 *   start ------> electing (odd epoch) ------------> timeout a majority, acknowledged: victory (even epoch)
 *                    |   ^ a better one never won
 *                    v   |
 *                 deferred to a lower rank --------> its victory: peon
 */

type ElectorState =
  | { readonly name: 'idle' }
  | { readonly name: 'electing'; readonly acked: ReadonlySet<number> }
  | { readonly name: 'deferred'; readonly to: number }
  | { readonly name: 'quorum'; readonly leader: number; readonly quorum: readonly number[] };

export interface Elector {
  readonly rank: number;
  /** Monitors in the map. */
  readonly size: number;
  readonly epoch: number;
  readonly state: ElectorState;
}

export type ElectorEvent =
  | { readonly kind: 'start' }
  | { readonly kind: 'timeout' }
  /** A connection to or from `rank` broke and may be tried again: what was said to it may be lost. */
  | { readonly kind: 'peerBack'; readonly rank: number }
  | { readonly kind: 'propose'; readonly from: number; readonly epoch: number }
  | { readonly kind: 'ack'; readonly from: number; readonly epoch: number }
  | { readonly kind: 'victory'; readonly from: number; readonly epoch: number; readonly quorum: readonly number[] };

/** Messages leave only after the epoch of a `store` before them is durable. */
export type ElectorEffect =
  | { readonly kind: 'store'; readonly epoch: number }
  | {
      readonly kind: 'send';
      readonly to: number;
      readonly op: 'propose' | 'ack' | 'victory';
      readonly quorum: readonly number[];
    }
  /** Arm the election timer: `long` when waiting for another's victory. */
  | { readonly kind: 'timer'; readonly long: boolean }
  /** The election is over: leave what came before it, lead or follow. */
  | { readonly kind: 'won'; readonly quorum: readonly number[] }
  | { readonly kind: 'lost'; readonly leader: number; readonly quorum: readonly number[] }
  /** The leader has won this election before, and says so again: its connection broke, and what it answered may be lost. */
  | { readonly kind: 'leaderBack' }
  /** A new election runs: whatever the old quorum did is suspended. */
  | { readonly kind: 'electing' };

/** Nobody is so many elections ahead: an epoch beyond it is refused, lest there be none left to count. */
const MAX_AHEAD = 2 ** 24;

type Step = [Elector, ElectorEffect[]];

/** Advances the election by one event. Pure; whatever a peer sends, it does not throw. */
export function stepElector(elector: Elector, event: ElectorEvent): Step {
  if ('epoch' in event && event.epoch > elector.epoch + MAX_AHEAD) return [elector, []];
  switch (event.kind) {
    case 'start':
      return start(elector);
    case 'timeout':
      return onTimeout(elector);
    case 'peerBack':
      return [elector, repeatTo(elector, event.rank)];
    case 'propose':
      return onPropose(elector, event.from, event.epoch);
    case 'ack':
      return onAck(elector, event.from, event.epoch);
    case 'victory':
      return onVictory(elector, event.from, event.epoch, event.quorum);
  }
}

function isElecting(epoch: number): boolean {
  return epoch % 2 === 1;
}

function majority(size: number): number {
  return Math.floor(size / 2) + 1;
}

function start(elector: Elector): Step {
  const epoch = isElecting(elector.epoch) ? elector.epoch : elector.epoch + 1;
  const next: Elector = { ...elector, epoch, state: { name: 'electing', acked: new Set([elector.rank]) } };
  const effects: ElectorEffect[] = [{ kind: 'store', epoch }, { kind: 'electing' }];
  if (elector.size === 1) return appendTo(effects, win(next));
  for (let to = 0; to < elector.size; to++) {
    if (to !== elector.rank) effects.push({ kind: 'send', to, op: 'propose', quorum: [] });
  }
  effects.push({ kind: 'timer', long: false });
  return [next, effects];
}

function appendTo(effects: ElectorEffect[], [next, more]: Step): Step {
  return [next, [...effects, ...more]];
}

function onTimeout(elector: Elector): Step {
  const { state } = elector;
  if (state.name === 'electing' && state.acked.size >= majority(elector.size)) return win(elector);
  // Nobody won: a round of its own epoch, so that late answers to this one count for nothing.
  if (state.name === 'electing' || state.name === 'deferred') return start({ ...elector, epoch: elector.epoch + 1 });
  return [elector, []];
}

/** What `rank` may have missed. Hearing it twice does no harm. */
function repeatTo({ rank: self, state }: Elector, rank: number): ElectorEffect[] {
  if (state.name === 'electing') return [{ kind: 'send', to: rank, op: 'propose', quorum: [] }];
  if (state.name === 'deferred' && state.to === rank) return [{ kind: 'send', to: rank, op: 'ack', quorum: [] }];
  if (state.name !== 'quorum' || state.leader !== self || !state.quorum.includes(rank)) return [];
  return [{ kind: 'send', to: rank, op: 'victory', quorum: state.quorum }];
}

function onPropose(elector: Elector, from: number, epoch: number): Step {
  if (!isElecting(epoch) || from === elector.rank || from >= elector.size) return [elector, []];
  if (epoch < elector.epoch) {
    // Somebody outside the quorum who knows nothing of it: let it in by a new election.
    const outsider = elector.state.name === 'quorum' && !elector.state.quorum.includes(from);
    return outsider ? start(elector) : [elector, []];
  }
  const joined: Elector = epoch > elector.epoch ? { ...elector, epoch, state: { name: 'idle' } } : elector;
  const effects: ElectorEffect[] = epoch > elector.epoch ? [{ kind: 'store', epoch }, { kind: 'electing' }] : [];
  if (from > elector.rank) {
    // It should follow me: whoever is heard from while nothing was proposed in this epoch is answered by a proposal.
    if (joined.state.name === 'idle') return appendTo(effects, start(joined));
    // My own may have been lost on its way while it was starting.
    return [joined, [...effects, ...repeatTo(joined, from)]];
  }
  if (joined.state.name === 'deferred' && joined.state.to < from) return [joined, effects];
  effects.push({ kind: 'send', to: from, op: 'ack', quorum: [] }, { kind: 'timer', long: true });
  return [{ ...joined, state: { name: 'deferred', to: from } }, effects];
}

function onAck(elector: Elector, from: number, epoch: number): Step {
  if (epoch !== elector.epoch || elector.state.name !== 'electing' || from >= elector.size) return [elector, []];
  const acked = new Set(elector.state.acked).add(from);
  const next: Elector = { ...elector, state: { name: 'electing', acked } };
  return acked.size === elector.size ? win(next) : [next, []];
}

function win(elector: Elector): Step {
  const acked = elector.state.name === 'electing' ? elector.state.acked : new Set([elector.rank]);
  const quorum = [...acked].sort((a, b) => a - b);
  const epoch = elector.epoch + 1;
  const effects: ElectorEffect[] = [{ kind: 'store', epoch }];
  for (const to of quorum) if (to !== elector.rank) effects.push({ kind: 'send', to, op: 'victory', quorum });
  effects.push({ kind: 'won', quorum });
  return [{ ...elector, epoch, state: { name: 'quorum', leader: elector.rank, quorum } }, effects];
}

function onVictory(elector: Elector, from: number, epoch: number, quorum: readonly number[]): Step {
  if (isElecting(epoch) || epoch < elector.epoch || from >= elector.rank || !isQuorum(elector, from, quorum)) {
    return [elector, []];
  }
  if (epoch === elector.epoch && elector.state.name === 'quorum') {
    return [elector, elector.state.leader === from ? [{ kind: 'leaderBack' }] : []];
  }
  if (epoch !== elector.epoch + 1 || elector.state.name !== 'deferred' || elector.state.to !== from) {
    // A victory in an election that I did not take part in as its winner believes.
    return start({ ...elector, epoch: Math.max(elector.epoch, epoch) });
  }
  return [
    { ...elector, epoch, state: { name: 'quorum', leader: from, quorum } },
    [
      { kind: 'store', epoch },
      { kind: 'lost', leader: from, quorum },
    ],
  ];
}

/** Whether these may be the monitors that elected `leader`, and this one with them. */
function isQuorum({ rank, size }: Elector, leader: number, quorum: readonly number[]): boolean {
  const distinct = new Set(quorum);
  const known = quorum.every((each) => each >= 0 && each < size);
  return known && distinct.size >= majority(size) && distinct.has(rank) && distinct.has(leader);
}
