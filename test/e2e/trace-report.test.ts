/** The page that `sim trace --format html` makes, in a browser, from disk. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';

// A browser that draws without a graphics card takes a while on a machine that does other things too.
vi.setConfig({ testTimeout: 120_000 });

const spirula = fileURLToPath(new URL('../../packages/cli/bin/spirula.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'spirula-report-'));
const trace = join(folder, 'trace.jsonl.gz');
const CHROMIUM = '/usr/bin/chromium';
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
let browser: Browser;
/** What the page under test has complained of. */
let complaints: string[] = [];

function run(...args: string[]): string {
  return execFileSync(process.execPath, [spirula, 'sim', ...args], { encoding: 'utf8', maxBuffer: 1 << 28 });
}

async function openReport(...args: string[]): Promise<Page> {
  const file = join(folder, 'report.html');
  run('trace', trace, '--format', 'html', '--out', file, ...args);
  return await openFile(file);
}

async function openFile(file: string): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1300, height: 850 } });
  page.on('console', (message) => {
    // Of the tests themselves, which look at the pixels more than once.
    if (!message.text().includes('Multiple readback operations')) complaints.push(message.text());
  });
  page.on('pageerror', (error) => void complaints.push(error.message));
  page.on('request', (request) => {
    if (!/^(file|data|blob):/.test(request.url())) complaints.push(`asks for ${request.url()}`);
  });
  await page.goto(pathToFileURL(file).href);
  await page.waitForSelector('#legend button');
  return page;
}

/** Pixels of the lanes that are not of the commonest color: a program for the page. */
const COUNT_DRAWN = `(() => {
  const canvas = document.querySelector('canvas');
  const { data } = canvas.getContext('2d').getImageData(150, 60, canvas.width - 150, canvas.height - 60);
  const counts = new Map();
  for (const pixel of new Uint32Array(data.buffer)) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  return data.length / 4 - Math.max(...counts.values());
})()`;

const countDrawn = (page: Page): Promise<number> => page.evaluate(COUNT_DRAWN);

const textOf = async (page: Page, selector: string) => (await page.textContent(selector)) ?? '';

/** The middle of a daemon's lane, at a share of its width. */
async function placeOf(page: Page, daemon: string, share: number): Promise<{ x: number; y: number }> {
  const label = (await page.locator('#labels div', { hasText: daemon }).first().boundingBox())!;
  const canvas = (await page.locator('canvas').boundingBox())!;
  const gutter = 112;
  return { x: canvas.x + gutter + (canvas.width - gutter) * share, y: label.y + label.height / 2 };
}

beforeAll(async () => {
  run('run', 'standard', '--seed', '7', '--until', '20s', '--trace', trace);
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}, 120_000);

afterEach(async () => {
  for (const page of browser.contexts().flatMap((context) => context.pages())) await page.close();
  const said = complaints;
  complaints = [];
  expect(said).toEqual([]);
});

afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

test('the page opens from disk by itself and draws every daemon and PG', async () => {
  const page = await openReport();
  const labels = await page.locator('#labels div').allTextContents();

  expect(await textOf(page, '#title')).toMatch(/^standardseed 7 · [\d,]+ entries$/);
  expect(await textOf(page, '#verdict')).toBe('clean');
  expect(labels).toEqual(expect.arrayContaining(['health', 'quorum', 'mon.a', 'osd.4', 'client.0', 'pg 1.0']));
  expect(await countDrawn(page)).toBeGreaterThan(20_000);
  expect(await page.isVisible('#cut')).toBe(false);
});

test('wheel and keys change which time is shown, and 0 shows all again', async () => {
  const page = await openReport();
  const range = () => textOf(page, '#range');
  const all = await range();
  const { x, y } = await placeOf(page, 'osd.1', 0.5);
  await page.mouse.move(x, y);
  await page.mouse.wheel(0, -400);
  await expect.poll(range).not.toBe(all);
  const near = await range();
  await page.keyboard.press('ArrowRight');
  await expect.poll(range).not.toBe(near);
  await page.keyboard.press('0');
  await expect.poll(range).toBe(all);
});

test('a search finds what the trace has, steps through it, and a click shows what the message says', async () => {
  const page = await openReport();
  const trails = run('trace', trace, '--type', 'osd_op*', '--format', 'json').split('\n');
  const sent = trails.filter((line) => line.includes('"what":"send"'));
  await page.fill('#search', 'type:osd_op "what":"send"');
  await page.press('#search', 'Enter');
  await expect.poll(() => textOf(page, '#hits')).toBe(`1 of ${sent.length} found`);
  await page.press('#search', 'Enter');
  await expect.poll(() => textOf(page, '#hits')).toBe(`2 of ${sent.length} found`);

  const title = await textOf(page, '#detail h2');
  const [, sender] = /, ([a-z]+\.\d+) →/.exec(title)!;
  await page.locator('canvas').focus();
  await page.keyboard.press('f');
  await page.keyboard.press('Escape');
  await expect.poll(() => page.isVisible('#detail')).toBe(false);
  // A click finds what was painted last: on a busy machine that may be what was shown before.
  const clickOn = async () => {
    const { x, y } = await placeOf(page, sender!, 0.5);
    await page.mouse.click(x, y);
    return textOf(page, '#detail h2');
  };
  await expect.poll(clickOn, { interval: 200, timeout: 10_000 }).toContain('osd_op');
  expect(await textOf(page, '#detail pre')).toContain('"pgid": "1.');
});

test('what is hidden in the legend is not drawn', async () => {
  const page = await openReport();
  const before = await countDrawn(page);
  for (const name of ['client', 'replication', 'monitors']) {
    await page.locator('#legend button', { hasText: name }).first().click();
  }

  await expect.poll(() => countDrawn(page)).toBeLessThan(before - 2000);
});

test('a page of a part says so, and knows how things stood when the part begins', async () => {
  const page = await openReport('--last', '200');

  expect(await textOf(page, '#cut')).toMatch(/^This page shows the last 200 of [\d,]+ entries, from \d/);
  // A PG's state began long before.
  const { x, y } = await placeOf(page, 'pg 1.0', 0.3);
  await page.mouse.click(x, y);
  expect(await textOf(page, '#detail h2')).toContain('pg 1.0 active+clean');
});

test('a hundred thousand entries are drawn, and of more the last', async () => {
  const lines = run('trace', trace, '--format', 'json').trim().split('\n');
  const [header, ...entries] = lines;
  const long: string[] = [header!];
  const span = 60_000_000;
  for (let round = 0; long.length <= 110_000; round++) {
    for (const line of entries) {
      const entry = JSON.parse(line);
      if (entry.kind === 'end') continue;
      entry.at += round * span;
      if (entry.kind === 'message') entry.id += round * 1_000_000;
      long.push(JSON.stringify(entry));
    }
  }
  const file = join(folder, 'long.jsonl');
  const report = join(folder, 'long.html');
  writeFileSync(file, long.join('\n'));
  run('trace', file, '--format', 'html', '--out', report);
  const page = await openFile(report);

  expect(await textOf(page, '#cut')).toContain('This page shows the last 100,000 of ');
  expect(await countDrawn(page)).toBeGreaterThan(20_000);
});

test('text from a trace is never part of the page itself', () => {
  const text = readFileSync(join(folder, 'report.html'), 'utf8');

  expect(text.match(/<script/g)).toHaveLength(2);
  expect(text).not.toMatch(/<(script|link)[^>]+(src|href)="?http/);
});

test('a reader that has seen enough ends the output without a complaint', () => {
  const piped = spawnSync('sh', ['-c', `"${process.execPath}" "${spirula}" sim trace "${trace}" | head -3`], {
    encoding: 'utf8',
  });

  expect(piped.stderr).toBe('');
  expect(piped.stdout.split('\n')[0]).toMatch(/^standard, seed 7: mon\.a /);
});
