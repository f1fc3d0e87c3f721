/** Draws what is in view: bands and lanes first, then messages, then marks, then what stays at the top. */
import type { Choice } from './choice.ts';
import { AXIS_HEIGHT, FAULT_ROW_HEIGHT, type Layout, OVERVIEW_HEIGHT } from './layout.ts';
import type { MessagePainter } from './message-painter.ts';
import type { Mark, Model, Span } from './model.ts';
import type { Palette } from './palette.ts';
import { chooseStep, formatTime, type Viewport } from './viewport.ts';

/** More marks of these kinds are left out: one has to come nearer. */
const MAX_TIMERS = 600;
const MAX_MARKS = 2000;
/** Room for the number of an epoch. */
const EPOCH_PIXELS = 26;
const OVERVIEW_BINS = 600;
/** Narrower texts say nothing. */
const MIN_TEXT = 26;
const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

export class Painter {
  readonly #context: CanvasRenderingContext2D;
  readonly #palette: Palette;
  readonly #model: Model;
  readonly #messages: MessagePainter;
  readonly #view: Viewport;
  readonly #density: Float64Array;
  readonly #widths = new Map<string, number>();
  #layout!: Layout;
  #choice!: Choice;

  constructor(
    context: CanvasRenderingContext2D,
    palette: Palette,
    model: Model,
    messages: MessagePainter,
    view: Viewport,
  ) {
    this.#context = context;
    this.#palette = palette;
    this.#model = model;
    this.#messages = messages;
    this.#view = view;
    this.#density = measureDensity(model, view);
  }

  paint(layout: Layout, choice: Choice): void {
    this.#layout = layout;
    this.#choice = choice;
    const context = this.#context;
    const { width, height, gutter, scroll } = this.#view;
    context.font = FONT;
    context.textBaseline = 'middle';
    context.fillStyle = this.#color('--paper');
    context.fillRect(0, 0, width, height);

    context.save();
    context.beginPath();
    context.rect(gutter, OVERVIEW_HEIGHT + AXIS_HEIGHT, width - gutter, height);
    context.clip();
    context.translate(0, -scroll);
    this.#paintGrid();
    this.#paintFaultShades();
    this.#paintBand(this.#model.health, layout.health.top, layout.health.height);
    this.#paintBand(this.#model.quorum, layout.quorum.top, layout.quorum.height);
    this.#paintFaults();
    this.#paintLanes();
    for (const [i, { spans }] of this.#model.pgs.entries()) {
      this.#paintBand(spans, layout.pgs[i]!.top, layout.pgs[i]!.height - 2);
    }
    this.#messages.paint(layout, choice);
    this.#paintMarks();
    this.#paintHits();
    this.#paintSelected();
    context.restore();
    this.#paintAxis();
    this.#paintOverview();
  }

  #color(property: string): string {
    return this.#palette.get(property);
  }

  /** Middle of a lane. */
  #y(lane: number): number {
    const { top, height } = this.#layout.lanes[lane]!;
    return top + height / 2;
  }

  // Bands

  #paintGrid(): void {
    const { from, to, usPerPixel } = this.#view;
    const step = chooseStep(90 * usPerPixel);
    this.#context.fillStyle = this.#color('--line');
    for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
      this.#context.fillRect(Math.round(this.#view.x(at)), 0, 1, this.#layout.height);
    }
  }

  #paintBand(spans: readonly Span[], top: number, height: number): void {
    for (const span of spans) this.#paintSpan(span, top, height);
  }

  #paintSpan({ from, to, color, label }: Span, top: number, height: number): void {
    const { x1, x2 } = this.#extent(from, to);
    if (x2 < x1) return;
    this.#context.fillStyle = this.#color(color);
    this.#context.fillRect(x1, top, Math.max(1, x2 - x1 - 1), height);
    this.#paintText(label, x1 + 5, top + height / 2, x2 - x1 - 10, '--on-band');
  }

  /** Pixels of a stretch of time, as far as it is in view; the second is before the first when nothing is. */
  #extent(from: number, to: number): { readonly x1: number; readonly x2: number } {
    const { gutter, width } = this.#view;
    if (to < this.#view.from || from > this.#view.to) return { x1: 0, x2: -1 };
    return { x1: Math.max(gutter, this.#view.x(from)), x2: Math.min(width, this.#view.x(to)) };
  }

  #paintText(text: string, x: number, y: number, room: number, color: string): void {
    if (room < MIN_TEXT) return;
    const width = this.#widthOf(text);
    this.#context.fillStyle = this.#color(color);
    const fits = Math.floor((text.length * room) / width) - 1;
    this.#context.fillText(width > room ? `${text.slice(0, fits)}…` : text, x, y);
  }

  /** Of texts that come again with each picture. */
  #widthOf(text: string): number {
    let width = this.#widths.get(text);
    if (width === undefined) {
      width = this.#context.measureText(text).width;
      this.#widths.set(text, width);
    }
    return width;
  }

  #paintFaultShades(): void {
    const context = this.#context;
    context.fillStyle = this.#color('--fault');
    for (const { from, to, lanes, isMoment } of this.#model.faults) {
      if (isMoment) continue;
      const { x1, x2 } = this.#extent(from, to);
      if (x2 < x1) continue;
      context.globalAlpha = 0.1;
      const struck = lanes.length > 0 ? lanes : this.#model.lanes.keys();
      for (const lane of struck) {
        const { top, height } = this.#layout.lanes[lane]!;
        context.fillRect(x1, top, Math.max(1, x2 - x1), height);
      }
    }
    context.globalAlpha = 1;
  }

  #paintFaults(): void {
    const context = this.#context;
    const { top } = this.#layout.faults;
    const { faults } = this.#model;
    for (const [i, { from, to, label, color, row, isMoment }] of faults.entries()) {
      const y = top + row * FAULT_ROW_HEIGHT;
      const next = faults.slice(i + 1).find((other) => other.row === row);
      const { x1, x2 } = this.#extent(from, Math.max(to, from + 2 * this.#view.usPerPixel));
      if (x2 < x1) continue;
      const room = this.#extent(from, next?.from ?? Number.POSITIVE_INFINITY).x2 - x1;
      context.fillStyle = this.#color(color);
      context.globalAlpha = isMoment ? 1 : 0.35;
      if (isMoment) context.fillRect(x1, y + 2, 2, FAULT_ROW_HEIGHT - 5);
      else context.fillRect(x1, y + 1, Math.max(2, x2 - x1), FAULT_ROW_HEIGHT - 3);
      context.globalAlpha = 1;
      context.fillRect(x1, y + 1, 2, FAULT_ROW_HEIGHT - 3);
      this.#paintText(label, x1 + 6, y + FAULT_ROW_HEIGHT / 2, room - 12, '--ink');
    }
  }

  // Lanes

  #paintLanes(): void {
    const context = this.#context;
    const { gutter, width } = this.#view;
    for (const [i, lane] of this.#model.lanes.entries()) {
      const { top, height } = this.#layout.lanes[i]!;
      const y = Math.round(top + height / 2);
      context.fillStyle = this.#color('--lane');
      context.fillRect(gutter, y, width - gutter, 1);
      for (const absence of lane.absences) this.#paintAbsence(absence, top, height);
      for (const { from, to, color } of lane.roles) {
        const { x1, x2 } = this.#extent(from, to);
        if (x2 < x1) continue;
        context.fillStyle = this.#color(color);
        context.fillRect(x1, top + 3, Math.max(1, x2 - x1), 3);
      }
      context.fillStyle = this.#color('--client');
      context.globalAlpha = 0.35;
      for (const { from, to } of lane.requests) {
        const { x1, x2 } = this.#extent(from, to);
        if (x2 >= x1) context.fillRect(x1, top + height - 9, Math.max(1, x2 - x1), 4);
      }
      context.globalAlpha = 1;
    }
  }

  /** Hatched while the process is gone; dotted while it hangs. */
  #paintAbsence(absence: Span & { readonly how: 'gone' | 'hung' }, top: number, height: number): void {
    const { x1, x2 } = this.#extent(absence.from, absence.to);
    if (x2 - x1 < 1) return;
    const context = this.#context;
    context.save();
    context.beginPath();
    context.rect(x1, top + 2, x2 - x1, height - 4);
    context.fillStyle = this.#color('--paper');
    context.fill();
    context.clip();
    context.globalAlpha = 0.12;
    context.fillStyle = this.#color('--absent');
    context.fill();
    context.globalAlpha = 0.45;
    context.strokeStyle = this.#color('--absent');
    context.setLineDash(absence.how === 'hung' ? [1.5, 5] : []);
    context.beginPath();
    // From one origin, so that the pattern does not swim while one pans.
    for (let x = Math.floor((x1 - height) / 8) * 8; x < x2; x += 8) {
      context.moveTo(x, top + height);
      context.lineTo(x + height, top);
    }
    context.stroke();
    context.restore();
    const label = absence.how === 'hung' ? 'hangs' : 'not running';
    if (x2 - x1 > 90) {
      context.fillStyle = this.#color('--paper');
      context.fillRect(x1 + 5, top + height / 2 - 7, this.#widthOf(label) + 6, 14);
      this.#paintText(label, x1 + 8, top + height / 2, 90, '--muted');
    }
  }

  // Marks

  #paintMarks(): void {
    const { from, to } = this.#view;
    const byKind = new Map<Mark['kind'], Mark[]>();
    for (const mark of this.#model.marks) {
      if (mark.at < from || mark.at > to || mark.lane < 0 || this.#choice.hiddenMarks.has(mark.kind)) continue;
      const those = byKind.get(mark.kind);
      if (those) those.push(mark);
      else byKind.set(mark.kind, [mark]);
    }
    const few = (kind: Mark['kind'], most = MAX_MARKS) => {
      const those = byKind.get(kind) ?? [];
      return those.length > most ? [] : those;
    };
    const context = this.#context;
    context.globalAlpha = 0.7;
    context.fillStyle = this.#color('--muted');
    for (const { at, lane } of few('timer', MAX_TIMERS)) {
      context.fillRect(this.#view.x(at) - 0.5, this.#y(lane) + 1, 1, 6);
    }
    context.fillStyle = this.#color('--disk');
    for (const { at, lane } of few('disk')) context.fillRect(this.#view.x(at) - 1.5, this.#y(lane) + 8, 3, 3);
    context.fillStyle = this.#color('--monitors');
    for (const { at, lane } of few('paxos', MAX_TIMERS))
      context.fillRect(this.#view.x(at) - 1, this.#y(lane) - 7, 2, 7);
    context.globalAlpha = 1;
    context.fillStyle = this.#color('--fault');
    for (const { at, lane } of few('log')) this.#dot(this.#view.x(at), this.#y(lane) - 10, 3);
    this.#paintEpochs(byKind.get('map') ?? []);
  }

  /** A flag where a daemon learns of an epoch; of those close together, the number of the last. */
  #paintEpochs(marks: readonly Mark[]): void {
    const context = this.#context;
    context.fillStyle = this.#color('--maps');
    const next = new Map<number, number>();
    for (const { at, lane, label } of marks.toReversed()) {
      const x = this.#view.x(at);
      const { top } = this.#layout.lanes[lane]!;
      context.fillRect(x - 0.5, top + 8, 1, this.#y(lane) - top - 8);
      if ((next.get(lane) ?? Number.POSITIVE_INFINITY) - x >= EPOCH_PIXELS) context.fillText(label, x + 3, top + 12);
      next.set(lane, x);
    }
  }

  #dot(x: number, y: number, radius: number): void {
    this.#context.beginPath();
    this.#context.arc(x, y, radius, 0, 2 * Math.PI);
    this.#context.fill();
  }

  #paintHits(): void {
    const { from, to } = this.#view;
    this.#context.fillStyle = this.#color('--accent');
    // Arrows show by themselves that they are meant; these are for what has none.
    for (const index of this.#choice.hits) {
      const at = this.#model.at[index]!;
      const lane = this.#model.laneOf[index]!;
      if (at >= from && at <= to && lane >= 0) this.#dot(this.#view.x(at), this.#y(lane), 2.5);
    }
  }

  #paintSelected(): void {
    const { selected } = this.#choice;
    if (selected === undefined) return;
    const context = this.#context;
    const x = this.#view.x(this.#model.at[selected]!);
    const message = this.#model.messageOf[selected]!;
    if (message >= 0) this.#messages.paintStrong(message);
    context.strokeStyle = this.#color('--accent');
    context.lineWidth = 1;
    context.globalAlpha = 0.6;
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, this.#layout.height);
    context.stroke();
    context.globalAlpha = 1;
    const lane = this.#model.laneOf[selected]!;
    if (lane < 0) return;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(x, this.#y(lane), 6, 0, 2 * Math.PI);
    context.stroke();
    context.lineWidth = 1;
  }

  // What stays

  #paintAxis(): void {
    const context = this.#context;
    const { from, to, width, gutter, usPerPixel } = this.#view;
    const step = chooseStep(90 * usPerPixel);
    context.fillStyle = this.#color('--paper');
    context.fillRect(0, OVERVIEW_HEIGHT, width, AXIS_HEIGHT);
    context.fillStyle = this.#color('--line');
    context.fillRect(0, OVERVIEW_HEIGHT + AXIS_HEIGHT - 1, width, 1);
    for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
      const x = Math.round(this.#view.x(at));
      context.fillStyle = this.#color('--lane');
      context.fillRect(x, OVERVIEW_HEIGHT + AXIS_HEIGHT - 6, 1, 6);
      context.fillStyle = this.#color('--muted');
      const text = formatTime(at, step);
      const half = context.measureText(text).width / 2;
      if (x - half > gutter - 20 && x + half < width) context.fillText(text, x - half, OVERVIEW_HEIGHT + 10);
    }
  }

  /** The whole time: how much is said, faults, what was found, and which part is in view. */
  #paintOverview(): void {
    const context = this.#context;
    const { width, gutter, plotWidth, from, to } = this.#view;
    const x = (at: number) => gutter + this.#view.share(at) * plotWidth;
    context.fillStyle = this.#color('--raised');
    context.fillRect(0, 0, width, OVERVIEW_HEIGHT);
    context.fillStyle = this.#color('--fault');
    context.globalAlpha = 0.3;
    for (const fault of this.#model.faults)
      context.fillRect(x(fault.from), 0, Math.max(1, x(fault.to) - x(fault.from)), 5);
    context.globalAlpha = 0.8;
    context.fillStyle = this.#color('--keepalive');
    const bin = plotWidth / OVERVIEW_BINS;
    for (const [i, share] of this.#density.entries()) {
      const bar = share * (OVERVIEW_HEIGHT - 9);
      context.fillRect(gutter + i * bin, OVERVIEW_HEIGHT - 2 - bar, Math.max(1, bin - 0.3), bar);
    }
    context.fillStyle = this.#color('--accent');
    for (const pixel of new Set(this.#choice.hits.map((index) => Math.round(x(this.#model.at[index]!))))) {
      context.fillRect(pixel, OVERVIEW_HEIGHT - 7, 1, 6);
    }
    context.globalAlpha = 0.12;
    context.fillRect(x(from), 0, Math.max(3, x(to) - x(from)), OVERVIEW_HEIGHT);
    context.globalAlpha = 1;
    context.strokeStyle = this.#color('--accent');
    context.strokeRect(x(from) + 0.5, 0.5, Math.max(3, x(to) - x(from)) - 1, OVERVIEW_HEIGHT - 1);
  }
}

/** Entries in each part of the time, as shares of the most, square roots so that little is seen beside much. */
function measureDensity({ at, embedded: { carried } }: Model, view: Viewport): Float64Array {
  const counts = new Float64Array(OVERVIEW_BINS);
  for (const time of at.subarray(carried)) {
    counts[Math.min(OVERVIEW_BINS - 1, Math.max(0, Math.floor(view.share(time) * OVERVIEW_BINS)))]! += 1;
  }
  const most = counts.reduce((a, b) => Math.max(a, b), 1);
  return counts.map((count) => Math.sqrt(count / most));
}
