/** Finds the entry that is drawn at a place. */

import type { Choice } from './choice.ts';
import { AXIS_HEIGHT, FAULT_ROW_HEIGHT, type Layout, OVERVIEW_HEIGHT } from './layout.ts';
import type { MessagePainter } from './message-painter.ts';
import type { MessagesInView } from './messages-in-view.ts';
import type { Model, Span } from './model.ts';
import type { Viewport } from './viewport.ts';

/** Pixels beside a thing that still count as on it. */
const NEAR = 5;

export class Picker {
  readonly #model: Model;
  readonly #inView: MessagesInView;
  readonly #view: Viewport;
  readonly #painter: MessagePainter;

  constructor(model: Model, inView: MessagesInView, view: Viewport, painter: MessagePainter) {
    this.#model = model;
    this.#inView = inView;
    this.#view = view;
    this.#painter = painter;
  }

  /** The entry at a place on the canvas, as it was painted last. */
  pick(x: number, screenY: number, layout: Layout, choice: Choice): number | undefined {
    if (x < this.#view.gutter || screenY < OVERVIEW_HEIGHT + AXIS_HEIGHT) return undefined;
    const y = screenY + this.#view.scroll;
    const at = this.#view.timeAt(x);
    const within = ({ top, height }: { top: number; height: number }) => y >= top && y < top + height;
    if (within(layout.health)) return this.#spanAt(this.#model.health, at);
    if (within(layout.quorum)) return this.#spanAt(this.#model.quorum, at);
    if (within(layout.faults)) return this.#faultAt(x, Math.floor((y - layout.faults.top) / FAULT_ROW_HEIGHT));
    const pg = layout.pgs.findIndex(within);
    if (pg >= 0) return this.#spanAt(this.#model.pgs[pg]!.spans, at);
    const lane = layout.lanes.findIndex(within);
    return this.#markAt(x, y, layout, choice) ?? this.#messageAt(x, y, choice) ?? this.#laneSpanAt(lane, y, at, layout);
  }

  #spanAt(spans: readonly Span[], at: number): number | undefined {
    const slack = 2 * this.#view.usPerPixel;
    return spans.findLast(({ from, to }) => at >= from - slack && at <= to + slack)?.entry;
  }

  #faultAt(x: number, row: number): number | undefined {
    const at = this.#view.timeAt(x + NEAR);
    const fault = this.#model.faults.findLast((each) => each.row === row && each.from <= at);
    return fault?.entry;
  }

  #markAt(x: number, y: number, layout: Layout, { hiddenMarks }: Choice): number | undefined {
    let best: number | undefined;
    let nearest = NEAR;
    for (const { at, lane, kind, entry } of this.#model.marks) {
      const dx = Math.abs(this.#view.x(at) - x);
      if (dx > nearest || lane < 0 || hiddenMarks.has(kind)) continue;
      const { top, height } = layout.lanes[lane]!;
      // Each kind has its place above or below the line.
      const dy = y - (top + height / 2);
      const isThere =
        kind === 'disk' ? dy > 6 && dy < 13 : kind === 'timer' ? dy > 2 && dy <= 7 : dy < -4 && y > top + 4;
      if (!isThere) continue;
      nearest = dx;
      best = entry;
    }
    return best;
  }

  #messageAt(x: number, y: number, { hiddenFamilies, hitMessages }: Choice): number | undefined {
    const { messages } = this.#model;
    const slack = 60 * this.#view.usPerPixel;
    let best: number | undefined;
    let nearest = NEAR;
    this.#inView.forEach(this.#view.timeAt(x) - slack, this.#view.timeAt(x) + slack, (message) => {
      if (hiddenFamilies.has(messages.family[message]!) && !hitMessages.has(message)) return;
      const ends = this.#painter.ends(message);
      if (ends === undefined) return;
      const distance = distanceTo(x, y, ends.x1, ends.y1, ends.x2, ends.y2);
      if (distance >= nearest) return;
      nearest = distance;
      const { sendEntry, deliverEntry } = messages;
      // The end that is nearer, so that stepping goes on from there.
      const atEnd = Math.hypot(x - ends.x2, y - ends.y2) < Math.hypot(x - ends.x1, y - ends.y1);
      const preferred = atEnd ? deliverEntry[message]! : sendEntry[message]!;
      best = preferred >= 0 ? preferred : Math.max(sendEntry[message]!, deliverEntry[message]!);
    });
    return best;
  }

  #laneSpanAt(number: number, y: number, at: number, layout: Layout): number | undefined {
    const lane = this.#model.lanes[number];
    if (lane === undefined) return undefined;
    const { top, height } = layout.lanes[number]!;
    if (y < top + 9) return this.#spanAt(lane.roles, at);
    const request = y > top + height - 12 ? this.#spanAt(lane.requests, at) : undefined;
    const entry = request ?? this.#spanAt(lane.absences, at);
    return entry === -1 ? undefined : entry;
  }
}

function distanceTo(x: number, y: number, x1: number, y1: number, x2: number, y2: number): number {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const square = dx * dx + dy * dy;
  const share = square === 0 ? 0 : Math.min(1, Math.max(0, ((x - x1) * dx + (y - y1) * dy) / square));
  return Math.hypot(x - x1 - share * dx, y - y1 - share * dy);
}
