/** The report of a trace: reads what is in the page, draws it, and does what the reader asks. */

import type { Choice } from './choice.ts';
import { showDetail, titleOf } from './detail.ts';
import { type Embedded, readEmbedded } from './embedded.ts';
import { families } from './family.ts';
import { AXIS_HEIGHT, type Layout, layOut, OVERVIEW_HEIGHT } from './layout.ts';
import { MessagePainter } from './message-painter.ts';
import { MessagesInView } from './messages-in-view.ts';
import { buildModel, type Mark, type Model } from './model.ts';
import { find, makeLegend, makePage } from './page.ts';
import { Painter } from './painter.ts';
import { Palette } from './palette.ts';
import { Picker } from './picker.ts';
import { search } from './search.ts';
import { formatTime, Viewport } from './viewport.ts';

const GUTTER = 112;
const FIXED_HEIGHT = OVERVIEW_HEIGHT + AXIS_HEIGHT;
const ZOOM_STEP = 1.25;
/** Pixels a pointer moves before a press is a drag. */
const DRAG_PIXELS = 4;
/** Time shown around what one zooms to, in microseconds. */
const CLOSE_RANGE = 50_000;
const SEARCH_DELAY_MS = 200;

class Report {
  readonly #model: Model;
  readonly #view: Viewport;
  readonly #painter: Painter;
  readonly #picker: Picker;
  readonly #palette = new Palette();
  readonly #canvas = document.querySelector('canvas')!;
  readonly #context = this.#canvas.getContext('2d')!;
  readonly #hiddenFamilies = new Set(families.flatMap(({ quiet }, number) => (quiet ? number : [])));
  readonly #hiddenMarks = new Set<Mark['kind']>();
  #hits: readonly number[] = [];
  #hitMessages: ReadonlySet<number> = new Set();
  #currentHit = -1;
  #selected: number | undefined;
  #layout: Layout;
  #frame = 0;

  constructor(model: Model) {
    this.#model = model;
    this.#view = new Viewport(model.begin, model.end, GUTTER);
    const inView = new MessagesInView(model.messages);
    const messages = new MessagePainter(this.#context, this.#palette, model, inView, this.#view);
    this.#painter = new Painter(this.#context, this.#palette, model, messages, this.#view);
    this.#picker = new Picker(model, inView, this.#view, messages);
    this.#layout = layOut(model, 1);
  }

  begin(): void {
    makeLegend(this.#hiddenFamilies, this.#hiddenMarks, () => this.#draw());
    new ResizeObserver(() => this.#resize()).observe(find('stage'));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#palette.forget();
      this.#draw();
    });
    this.#listenToMouse();
    this.#listenToKeys();
    this.#listenToSearch();
    find('in').addEventListener('click', () => this.#zoom(1 / ZOOM_STEP ** 2));
    find('out').addEventListener('click', () => this.#zoom(ZOOM_STEP ** 2));
    find('fit').addEventListener('click', () => this.#fit());
    find('help').addEventListener('click', () => this.#toggleHelp());
    find('detail').addEventListener('close', () => this.#select(undefined));
    this.#resize();
  }

  get #choice(): Choice {
    return {
      hiddenFamilies: this.#hiddenFamilies,
      hiddenMarks: this.#hiddenMarks,
      hits: this.#hits,
      hitMessages: this.#hitMessages,
      selected: this.#selected,
    };
  }

  // Drawing

  #resize(): void {
    const { clientWidth, clientHeight } = find('stage');
    this.#view.width = clientWidth;
    this.#view.height = clientHeight;
    this.#canvas.width = Math.round(clientWidth * devicePixelRatio);
    this.#canvas.height = Math.round(clientHeight * devicePixelRatio);
    this.#layout = layOut(this.#model, clientHeight);
    this.#makeLabels();
    this.#scrollTo(this.#view.scroll);
    this.#paint();
  }

  #draw(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => this.#paint());
  }

  #paint(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    this.#painter.paint(this.#layout, this.#choice);
    const { from, to, usPerPixel } = this.#view;
    find('range').textContent =
      `${formatTime(Math.max(0, from), usPerPixel * 10)} – ${formatTime(to, usPerPixel * 10)}`;
  }

  /** Names of the rows: text of the page, so that it can be found and read aloud. */
  #makeLabels(): void {
    const { health, quorum, faults, lanes, pgs } = this.#layout;
    const label = (text: string, { top, height }: { top: number; height: number }, className: string) => {
      const element = document.createElement('div');
      element.className = className;
      element.textContent = text;
      element.style.top = `${top - FIXED_HEIGHT}px`;
      element.style.height = `${height}px`;
      return element;
    };
    const inner = document.createElement('section');
    inner.append(label('health', health, 'minor'), label('quorum', quorum, 'minor'));
    if (faults.height > 0) inner.append(label('faults', { ...faults, height: 17 }, 'minor'));
    for (const [i, { name }] of this.#model.lanes.entries()) inner.append(label(name, lanes[i]!, 'lane'));
    for (const [i, { pgid }] of this.#model.pgs.entries()) inner.append(label(`pg ${pgid}`, pgs[i]!, 'minor'));
    find('labels').replaceChildren(inner);
    find('labels').style.height = `${Math.max(0, this.#view.height - FIXED_HEIGHT)}px`;
  }

  #scrollTo(scroll: number): void {
    this.#view.scroll = Math.max(0, Math.min(scroll, this.#layout.height - this.#view.height));
    const inner = find('labels').firstElementChild as HTMLElement;
    inner.style.cssText = `position: absolute; inset: 0; transform: translateY(${-this.#view.scroll}px)`;
    this.#draw();
  }

  #zoom(factor: number, x = (this.#view.gutter + this.#view.width) / 2): void {
    this.#view.zoom(factor, x);
    this.#draw();
  }

  #pan(pixels: number): void {
    this.#view.pan(pixels);
    this.#draw();
  }

  #fit(): void {
    this.#view.fit();
    this.#draw();
  }

  // Selection

  #select(index: number | undefined): void {
    this.#selected = index;
    const panel = find('detail');
    panel.hidden = index === undefined;
    if (index !== undefined) showDetail(panel, this.#model, index, (other) => this.#goTo(other));
    this.#draw();
  }

  /** Selects an entry and brings it into view. */
  #goTo(index: number): void {
    find('tip').hidden = true;
    this.#select(index);
    const at = this.#model.at[index]!;
    const { from, to, scroll, height } = this.#view;
    const margin = (to - from) * 0.05;
    if (at < from + margin || at > to - margin) this.#view.center(at);
    const lane = this.#layout.lanes[this.#model.laneOf[index]!];
    if (lane && (lane.top < scroll + FIXED_HEIGHT || lane.top + lane.height > scroll + height)) {
      this.#scrollTo(lane.top - height / 2);
    }
    this.#draw();
  }

  #step(by: 1 | -1): void {
    const { lines, carried } = this.#model.embedded;
    const next = this.#selected === undefined ? carried : this.#selected + by;
    if (next >= 0 && next < lines.length) this.#goTo(next);
  }

  // Search

  #listenToSearch(): void {
    const input = find<HTMLInputElement>('search');
    let timer = 0;
    const run = () => {
      clearTimeout(timer);
      this.#search(input.value);
    };
    input.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(run, SEARCH_DELAY_MS);
    });
    input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') {
        if (input.value !== input.dataset['searched']) run();
        this.#stepHit(event.shiftKey ? -1 : 1);
      } else if (event.key === 'Escape') {
        input.value = '';
        run();
        this.#canvas.focus();
      } else return;
      event.preventDefault();
      event.stopPropagation();
    });
    find('next').addEventListener('click', () => this.#stepHit(1));
    find('previous').addEventListener('click', () => this.#stepHit(-1));
  }

  #search(query: string): void {
    find('search').dataset['searched'] = query;
    this.#hits = search(this.#model, query);
    this.#hitMessages = new Set(this.#hits.map((index) => this.#model.messageOf[index]!).filter((each) => each >= 0));
    this.#currentHit = -1;
    this.#showHits(query);
    this.#draw();
  }

  #showHits(query: string): void {
    const count = this.#hits.length;
    const place = this.#currentHit >= 0 ? `${this.#currentHit + 1} of ` : '';
    const text = count === 0 ? 'nothing found' : `${place}${count} found`;
    find('hits').textContent = query.trim() === '' ? '' : text;
  }

  /** The first step goes to the first hit in view. */
  #stepHit(by: 1 | -1): void {
    const count = this.#hits.length;
    if (count === 0) return;
    if (this.#currentHit < 0) {
      const inView = this.#hits.findIndex((index) => this.#model.at[index]! >= this.#view.from);
      this.#currentHit = Math.max(0, inView);
    } else this.#currentHit = (this.#currentHit + by + count) % count;
    this.#showHits(find<HTMLInputElement>('search').value);
    this.#goTo(this.#hits[this.#currentHit]!);
  }

  // Mouse

  #listenToMouse(): void {
    const canvas = this.#canvas;
    canvas.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault();
        const sideways = event.shiftKey ? event.deltaX + event.deltaY : event.deltaX;
        if (event.offsetX < GUTTER) this.#scrollTo(this.#view.scroll + event.deltaY);
        else if (Math.abs(sideways) > Math.abs(event.deltaY) || event.shiftKey) this.#pan(sideways);
        else this.#zoom(ZOOM_STEP ** (Math.max(-150, Math.min(150, event.deltaY)) / 100), event.offsetX);
      },
      { passive: false },
    );
    let pressed: { x: number; y: number; moved: boolean } | undefined;
    canvas.addEventListener('pointerdown', (event) => {
      pressed = { x: event.offsetX, y: event.offsetY, moved: false };
      canvas.setPointerCapture(event.pointerId);
      if (event.offsetY < OVERVIEW_HEIGHT) this.#goToShare(event.offsetX);
    });
    canvas.addEventListener('pointermove', (event) => {
      const { offsetX: x, offsetY: y } = event;
      if (pressed === undefined) {
        this.#showTip(x, y);
        return;
      }
      if (pressed.y < OVERVIEW_HEIGHT) {
        this.#goToShare(x);
        return;
      }
      if (!pressed.moved && Math.hypot(x - pressed.x, y - pressed.y) < DRAG_PIXELS) return;
      canvas.classList.add('dragged');
      find('tip').hidden = true;
      this.#pan(pressed.x - x);
      this.#scrollTo(this.#view.scroll + pressed.y - y);
      pressed = { x, y, moved: true };
    });
    canvas.addEventListener('pointerup', (event) => {
      canvas.classList.remove('dragged');
      if (pressed !== undefined && !pressed.moved && pressed.y >= OVERVIEW_HEIGHT) {
        this.#select(this.#picker.pick(event.offsetX, event.offsetY, this.#layout, this.#choice));
      }
      pressed = undefined;
    });
    canvas.addEventListener('pointerleave', () => {
      find('tip').hidden = true;
    });
    canvas.addEventListener('dblclick', (event) => this.#zoom(1 / ZOOM_STEP ** 4, event.offsetX));
  }

  /** A place on the strip of the whole time. */
  #goToShare(x: number): void {
    this.#view.center(this.#view.atShare((x - GUTTER) / this.#view.plotWidth));
    this.#draw();
  }

  #showTip(x: number, y: number): void {
    const tip = find('tip');
    const index = this.#picker.pick(x, y, this.#layout, this.#choice);
    tip.hidden = index === undefined;
    this.#canvas.style.cursor = index === undefined ? 'default' : 'pointer';
    if (index === undefined) return;
    const when = document.createElement('span');
    when.textContent = `${(this.#model.at[index]! / 1e6).toFixed(6)} s  `;
    tip.replaceChildren(when, titleOf(this.#model.entry(index)));
    const right = x > this.#view.width - 440;
    tip.style.left = right ? 'auto' : `${x + 14}px`;
    tip.style.right = right ? `${this.#view.width - x + 14}px` : 'auto';
    tip.style.top = `${Math.min(y + 14, this.#view.height - 34)}px`;
  }

  // Keys

  #listenToKeys(): void {
    const actions: Readonly<Record<string, () => void>> = {
      '+': () => this.#zoom(1 / ZOOM_STEP),
      '=': () => this.#zoom(1 / ZOOM_STEP),
      '-': () => this.#zoom(ZOOM_STEP),
      ArrowLeft: () => this.#pan(-80),
      ArrowRight: () => this.#pan(80),
      ArrowUp: () => this.#scrollTo(this.#view.scroll - 60),
      ArrowDown: () => this.#scrollTo(this.#view.scroll + 60),
      0: () => this.#fit(),
      Home: () => this.#fit(),
      f: () => this.#zoomToSelected(),
      j: () => this.#step(1),
      k: () => this.#step(-1),
      n: () => this.#stepHit(1),
      N: () => this.#stepHit(-1),
      '/': () => find<HTMLInputElement>('search').select(),
      '?': () => this.#toggleHelp(),
      Escape: () => this.#select(undefined),
    };
    document.addEventListener('keydown', (event) => {
      if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey) return;
      const action = actions[event.key];
      if (action === undefined) return;
      event.preventDefault();
      action();
    });
  }

  #zoomToSelected(): void {
    if (this.#selected === undefined) return;
    this.#view.center(this.#model.at[this.#selected]!, CLOSE_RANGE);
    this.#draw();
  }

  #toggleHelp(): void {
    const keys = find<HTMLDialogElement>('keys');
    if (keys.open) keys.close();
    else keys.showModal();
  }
}

function showHeader({ header: { scenario, seed }, total, carried, lines }: Embedded, model: Model): void {
  const title = find('title');
  title.textContent = scenario;
  const small = document.createElement('small');
  small.textContent = `seed ${seed} · ${(lines.length - carried).toLocaleString('en')} entries`;
  title.append(small);
  const last = lines.length === 0 ? undefined : model.entry(lines.length - 1);
  if (last?.kind === 'end') {
    const verdict = find('verdict');
    const { problems } = last;
    verdict.hidden = false;
    verdict.textContent = problems.length === 0 ? 'clean' : 'failed';
    verdict.classList.toggle('failed', problems.length > 0);
    verdict.title = problems.join('\n') || `digest ${last.digest}`;
  }
  const shown = lines.length - carried;
  if (shown === total) return;
  find('cut').hidden = false;
  find('cut').textContent =
    `This page shows the last ${shown.toLocaleString('en')} of ${total.toLocaleString('en')} entries, ` +
    `from ${(model.begin / 1e6).toFixed(6)} s on. For another part, make the report with --from and --to, or with fewer kinds.`;
}

try {
  const embedded = await readEmbedded();
  makePage();
  const model = buildModel(embedded);
  showHeader(embedded, model);
  new Report(model).begin();
} catch (error) {
  const text = document.createElement('p');
  text.className = 'failure';
  text.textContent = `This page cannot show its trace: ${(error as Error).message}. It needs a browser of 2023 or later.`;
  document.body.prepend(text);
}
