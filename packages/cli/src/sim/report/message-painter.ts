/** Draws messages: arrows, or bundles of them when there are many. */
import type { Choice } from './choice.ts';
import { families } from './family.ts';
import type { Layout } from './layout.ts';
import type { MessagesInView } from './messages-in-view.ts';
import type { Model } from './model.ts';
import type { Palette } from './palette.ts';
import type { Viewport } from './viewport.ts';

/** More messages than these are drawn in bundles. */
const MAX_SINGLE = 2500;
const MAX_HEADS = 1200;
const MAX_LABELS = 45;
const BUNDLE_PIXELS = 7;
const ALPHAS = [0.1, 0.2, 0.35, 0.55, 0.8];

export class MessagePainter {
  readonly #context: CanvasRenderingContext2D;
  readonly #palette: Palette;
  readonly #model: Model;
  readonly #inView: MessagesInView;
  readonly #view: Viewport;
  #layout!: Layout;
  #choice!: Choice;

  constructor(
    context: CanvasRenderingContext2D,
    palette: Palette,
    model: Model,
    inView: MessagesInView,
    view: Viewport,
  ) {
    this.#context = context;
    this.#palette = palette;
    this.#model = model;
    this.#inView = inView;
    this.#view = view;
  }

  /** All that are on their way in the time that is shown. */
  paint(layout: Layout, choice: Choice): void {
    this.#layout = layout;
    this.#choice = choice;
    const { from, to } = this.#view;
    const { family } = this.#model.messages;
    const { hiddenFamilies, hitMessages } = this.#choice;
    const seen: number[] = [];
    this.#inView.forEach(from, to, (message) => {
      if (!hiddenFamilies.has(family[message]!) || hitMessages.has(message)) seen.push(message);
    });
    if (seen.length > MAX_SINGLE) this.#paintBundles(seen);
    else this.#paintSingles(seen);
  }

  /** One line for all messages of a family that go one way at about the same time; the more there are, the stronger. */
  #paintBundles(seen: readonly number[]): void {
    const { messages, lanes } = this.#model;
    const width = BUNDLE_PIXELS * this.#view.usPerPixel;
    const bundles = new Map<number, number>();
    const sends = new Map<number, number>();
    for (const message of seen) {
      const from = messages.from[message]!;
      const to = messages.to[message]!;
      if (from < 0 || to < 0) continue;
      const bucket = Math.floor(messages.sent[message]! / width);
      const lane = bucket * lanes.length + from;
      const key = (lane * lanes.length + to) * families.length + messages.family[message]!;
      bundles.set(key, (bundles.get(key) ?? 0) + 1);
      sends.set(lane, (sends.get(lane) ?? 0) + 1);
    }
    this.#paintActivity(sends, width);
    const paths = families.map(() => ALPHAS.map(() => new Path2D()));
    for (const [key, count] of bundles) {
      const lane = Math.floor(key / families.length / lanes.length);
      const to = Math.floor(key / families.length) % lanes.length;
      const x = this.#view.x((Math.floor(lane / lanes.length) + 0.5) * width);
      const path = paths[key % families.length]![Math.min(ALPHAS.length - 1, Math.floor(Math.log2(count)))]!;
      path.moveTo(x - BUNDLE_PIXELS / 3, this.#y(lane % lanes.length));
      path.lineTo(x + BUNDLE_PIXELS / 3, this.#y(to));
    }
    const fade = this.#choice.hits.length > 0 ? 0.3 : 1;
    for (const [family, strengths] of paths.entries()) {
      this.#context.strokeStyle = this.#color(families[family]!.color);
      for (const [strength, path] of strengths.entries()) {
        this.#context.globalAlpha = ALPHAS[strength]! * fade;
        this.#context.lineWidth = 1 + strength * 0.25;
        this.#context.stroke(path);
      }
    }
    this.#context.globalAlpha = 1;
    this.#context.lineWidth = 1;
  }

  /** How much each daemon sends. */
  #paintActivity(sends: ReadonlyMap<number, number>, width: number): void {
    const { lanes } = this.#model;
    let most = 1;
    for (const count of sends.values()) most = Math.max(most, count);
    this.#context.fillStyle = this.#color('--keepalive');
    this.#context.globalAlpha = 0.4;
    for (const [key, count] of sends) {
      const lane = key % lanes.length;
      const x = this.#view.x(Math.floor(key / lanes.length) * width);
      const room = this.#layout.lanes[lane]!.height / 2 - 8;
      const bar = Math.max(1, Math.sqrt(count / most) * room);
      this.#context.fillRect(x, this.#y(lane) - bar, BUNDLE_PIXELS - 1, bar);
    }
    this.#context.globalAlpha = 1;
  }

  /** One that is to be seen above all. */
  paintStrong(message: number): void {
    const color = families[this.#model.messages.family[message]!]!.color;
    this.#paintArrows([message], color, 1, 3, true);
    this.#paintLabel(message);
  }

  #paintSingles(seen: readonly number[]): void {
    const { hits, hitMessages } = this.#choice;
    const heads = seen.length <= MAX_HEADS;
    const fades = hits.length > 0;
    for (const family of families.keys()) {
      const strong: number[] = [];
      const faint: number[] = [];
      for (const message of seen) {
        if (this.#model.messages.family[message] !== family) continue;
        if (fades && !hitMessages.has(message)) faint.push(message);
        else strong.push(message);
      }
      this.#paintArrows(faint, families[family]!.color, 0.15, 1, heads);
      this.#paintArrows(strong, families[family]!.color, heads ? 0.85 : 0.45, heads ? 1.25 : 1, heads);
    }
    if (seen.length > MAX_LABELS) return;
    for (const message of seen) if (!fades || hitMessages.has(message)) this.#paintLabel(message);
  }

  #paintArrows(messages: readonly number[], color: string, alpha: number, width: number, heads: boolean): void {
    const context = this.#context;
    context.strokeStyle = this.#color(color);
    context.fillStyle = this.#color(color);
    context.globalAlpha = alpha;
    context.lineWidth = width;
    context.beginPath();
    const points = new Path2D();
    for (const message of messages) {
      const ends = this.ends(message);
      if (ends === undefined) continue;
      const { x1, y1, x2, y2, lost } = ends;
      context.moveTo(x1, y1);
      context.lineTo(x2, y2);
      if (lost) {
        context.moveTo(x2 - 3, y2 - 3);
        context.lineTo(x2 + 3, y2 + 3);
        context.moveTo(x2 + 3, y2 - 3);
        context.lineTo(x2 - 3, y2 + 3);
      } else if (heads) addHead(points, x1, y1, x2, y2);
    }
    context.stroke();
    context.fill(points);
    context.globalAlpha = 1;
    context.lineWidth = 1;
  }

  /** Where a message is drawn, as the layout was last; one that was not delivered ends halfway. */
  ends(message: number): { x1: number; y1: number; x2: number; y2: number; lost: boolean } | undefined {
    const { sent, arrived, from, to } = this.#model.messages;
    if (from[message]! < 0 || to[message]! < 0) return undefined;
    const x1 = this.#view.x(sent[message]!);
    const y1 = this.#y(from[message]!);
    const y2 = this.#y(to[message]!);
    const lost = Number.isNaN(arrived[message]!);
    if (lost) return { x1, y1, x2: x1 + 10, y2: y1 + (y2 - y1) * 0.4, lost };
    return { x1, y1, x2: this.#view.x(arrived[message]!), y2, lost };
  }

  #paintLabel(message: number): void {
    const ends = this.ends(message);
    const { sendEntry, deliverEntry, family } = this.#model.messages;
    const index = sendEntry[message]! >= 0 ? sendEntry[message]! : deliverEntry[message]!;
    const entry = this.#model.entry(index);
    if (ends === undefined || entry.kind !== 'message') return;
    // A third of the way: answers cross questions in the middle.
    const x = ends.x1 + (ends.x2 - ends.x1) * 0.36;
    const y = ends.y1 + (ends.y2 - ends.y1) * 0.36;
    const text = entry.pgid === undefined ? entry.type : `${entry.type} ${entry.pgid}`;
    const context = this.#context;
    const textWidth = context.measureText(text).width;
    context.globalAlpha = 0.85;
    context.fillStyle = this.#color('--paper');
    context.fillRect(x - textWidth / 2 - 3, y - 8, textWidth + 6, 16);
    context.globalAlpha = 1;
    context.fillStyle = this.#color(families[family[message]!]!.color);
    context.fillText(text, x - textWidth / 2, y);
  }

  #color(property: string): string {
    return this.#palette.get(property);
  }

  /** Middle of a lane. */
  #y(lane: number): number {
    const { top, height } = this.#layout.lanes[lane]!;
    return top + height / 2;
  }
}

function addHead(path: Path2D, x1: number, y1: number, x2: number, y2: number): void {
  const length = Math.hypot(x2 - x1, y2 - y1);
  if (length < 8) return;
  const [dx, dy] = [(x2 - x1) / length, (y2 - y1) / length];
  path.moveTo(x2, y2);
  path.lineTo(x2 - 7 * dx + 3 * dy, y2 - 7 * dy - 3 * dx);
  path.lineTo(x2 - 7 * dx - 3 * dy, y2 - 7 * dy + 3 * dx);
  path.closePath();
}
