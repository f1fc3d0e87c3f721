/** The parts of the page, made once. */
import { families } from './family.ts';
import type { Mark } from './model.ts';

const SKELETON = `
<header>
  <h1 id="title"></h1>
  <span class="verdict" id="verdict" hidden></span>
  <span id="range" aria-live="polite"></span>
  <span class="space"></span>
  <div class="search" role="search">
    <input id="search" type="search" spellcheck="false" placeholder="Search: any text, type: daemon: pg: kind:" aria-label="Search entries">
    <output id="hits" for="search"></output>
    <button id="previous" title="Hit before (Shift+Enter, N)">‹</button>
    <button id="next" title="Next hit (Enter, n)">›</button>
  </div>
  <button id="out" title="Show more time (−)">−</button>
  <button id="in" title="Show less time (+)">+</button>
  <button id="fit" title="Show all (0)">All</button>
  <button id="help" title="Keys (?)">?</button>
</header>
<p id="cut" hidden></p>
<main>
  <div id="stage">
    <canvas tabindex="0" role="img" aria-label="Daemons from top to bottom, time from left to right, messages as arrows"></canvas>
    <div id="labels"></div>
    <div id="tip" hidden></div>
  </div>
  <aside id="detail" aria-label="The selected entry" hidden></aside>
</main>
<footer id="legend"></footer>
<dialog id="keys" aria-label="Keys">
  <h2>Keys and mouse</h2>
  <table></table>
</dialog>`;

const KEYS: readonly (readonly [string, string])[] = [
  ['wheel', 'zoom where the pointer is'],
  ['drag, Shift+wheel', 'move through time; wheel over the names scrolls'],
  ['click', 'show what is there; on the strip at the top: go there'],
  ['+ −', 'zoom'],
  ['← →', 'move through time'],
  ['↑ ↓', 'scroll'],
  ['0', 'show all'],
  ['f', 'zoom to the selected entry'],
  ['j k', 'next entry, entry before'],
  ['/', 'search; type: daemon: pg: kind: narrow it'],
  ['Enter, n', 'next hit; with Shift: hit before'],
  ['Esc', 'close, clear'],
];

const MARKS: readonly (readonly [Mark['kind'], name: string, color: string])[] = [
  ['timer', 'timers', '--muted'],
  ['disk', 'disk', '--disk'],
  ['map', 'map epochs', '--maps'],
  ['paxos', 'Paxos versions', '--monitors'],
  ['log', 'warnings logged', '--bad'],
];

const BANDS: readonly (readonly [name: string, color: string])[] = [
  ['well', '--good'],
  ['degraded', '--warn'],
  ['peering', '--peering-band'],
  ['recovering', '--recovery-band'],
  ['down', '--bad'],
  ['fault', '--fault'],
];

export function makePage(): void {
  document.body.insertAdjacentHTML('afterbegin', SKELETON);
  const rows = KEYS.map(([keys, meaning]) => {
    const row = document.createElement('tr');
    const [left, right] = [document.createElement('td'), document.createElement('td')];
    const key = document.createElement('kbd');
    key.textContent = keys;
    left.append(key);
    right.textContent = meaning;
    row.append(left, right);
    return row;
  });
  find('keys')
    .querySelector('table')!
    .append(...rows);
}

export function find<E extends HTMLElement = HTMLElement>(id: string): E {
  return document.getElementById(id) as E;
}

/** What colors mean; messages and marks can be hidden by a click. */
export function makeLegend(hiddenFamilies: Set<number>, hiddenMarks: Set<Mark['kind']>, onChange: () => void): void {
  const legend = find('legend');
  const toggle = <T>(name: string, color: string, hidden: Set<T>, key: T) => {
    const button = document.createElement('button');
    button.append(swatch(color, 'line'), name);
    const show = () => button.setAttribute('aria-pressed', String(!hidden.has(key)));
    button.title = `Show or hide: ${name}`;
    button.addEventListener('click', () => {
      if (!hidden.delete(key)) hidden.add(key);
      show();
      onChange();
    });
    show();
    legend.append(button);
  };
  for (const [number, { name, color }] of families.entries()) toggle(name, color, hiddenFamilies, number);
  legend.append(document.createElement('hr'));
  for (const [kind, name, color] of MARKS) toggle(name, color, hiddenMarks, kind);
  legend.append(document.createElement('hr'));
  for (const [name, color] of BANDS) {
    const key = document.createElement('span');
    key.className = 'key';
    key.append(swatch(color, 'block'), name);
    legend.append(key);
  }
}

function swatch(color: string, shape: string): HTMLElement {
  const element = document.createElement('i');
  element.className = shape;
  element.style.background = `var(${color})`;
  return element;
}
