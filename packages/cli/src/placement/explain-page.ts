/** Why a PG is where it is, as one page for a browser, without scripts: every draw with its straws as bars. */
import { bucketAlgName, type CrushMap, type DrawnItem, type ExplainedDraw } from '@spirula/crush';
import { formatPgId } from '@spirula/encoding';
import type { ExplainedPg, OsdMap } from '@spirula/maps';
import { escapeText } from '../escape-text.ts';
import { nameOfItem, nameOfStep, nameOfType, REASONS } from './crush-names.ts';
import type { ExplainedObject } from './explain-object.ts';
import { describeObject, describePg, describeSets, type TryWithBelow, withTriesBelow } from './explain-text.ts';
import { page } from './page.ts';

/** Of a bucket with more, the longest straws are shown at first. */
const SHOWN = 12;
const ONE = 0x10000;

export function explainPage(map: OsdMap, explained: ExplainedPg, object: ExplainedObject | undefined): string {
  const title = object ? `Where '${object.name}' is, and why` : `Where PG ${formatPgId(explained.pg)} is, and why`;
  const facts = [...describeObject(map, explained, object), ...describePg(map, explained)];
  const steps = explained.crush.steps.map(
    ({ step, tries }) => `<section class="step">
<h2><code>${escapeText(nameOfStep(map.crush, step))}</code></h2>
${withTriesBelow(tries)
  .map((each) => tryBlock(map.crush, each))
  .join('\n')}
</section>`,
  );
  return page(
    title,
    `<h1>${escapeText(title)}</h1>
${list(facts)}
${steps.join('\n')}
<section>
<h2>From there to who serves it</h2>
${list(describeSets(explained))}
</section>`,
  );
}

function list(facts: readonly (readonly [name: string, text: string])[]): string {
  const rows = facts.map(([name, text]) => `<dt>${escapeText(name)}</dt><dd>${escapeText(text)}</dd>`);
  return `<dl>${rows.join('')}</dl>`;
}

function tryBlock(crush: CrushMap, { tried, below }: TryWithBelow): string {
  const { accepted, rejected, isBelow, from, rank, failures } = tried;
  const what = isBelow ? `A device below ${nameOfItem(crush, from)}` : `Rank ${rank}`;
  const again = failures > 0 ? `, try ${failures + 1}` : '';
  const outcome = accepted
    ? `<span class="good">${escapeText(nameOfItem(crush, accepted.item))}</span>`
    : rejected
      ? `<span class="bad">${escapeText(
          `${rejected.item === undefined ? '' : `${nameOfItem(crush, rejected.item)}: `}${REASONS[rejected.why]}`,
        )}</span>`
      : '';
  return `<div class="try${isBelow ? ' below' : ''}${rejected ? ' rejected' : ''}">
<h3>${escapeText(what + again)} ${outcome}</h3>
${tried.draws.map((draw) => drawBlock(crush, draw)).join('\n')}
${below.map((each) => tryBlock(crush, { tried: each, below: [] })).join('\n')}
</div>`;
}

function drawBlock(crush: CrushMap, { bucket: id, r, isFallback, item, items }: ExplainedDraw): string {
  const bucket = crush.buckets[-1 - id]!;
  const how = isFallback ? 'a permutation, as other tries failed' : bucketAlgName(bucket.alg);
  const head = `${nameOfItem(crush, id)}, ${nameOfType(crush, bucket.type)}, ${how}, r = ${r}`;
  const rows = [...items].sort(byLength).map((each) => itemRow(crush, each, each.item === item, items));
  const rest = rows.slice(SHOWN);
  const more = rest.length > 0 ? `<details><summary>${rest.length} more</summary>${rest.join('')}</details>` : '';
  return `<div class="draw"><p>${escapeText(head)}</p>${rows.slice(0, SHOWN).join('')}${more}</div>`;
}

function byLength(a: DrawnItem, b: DrawnItem): number {
  return (b.straw ?? Number.NEGATIVE_INFINITY) - (a.straw ?? Number.NEGATIVE_INFINITY);
}

/** Straws of straw2 are negative: the longest is nearest to 0. Of an item half as long as the longest, the bar is half as long. */
function itemRow(crush: CrushMap, drawn: DrawnItem, isDrawn: boolean, all: readonly DrawnItem[]): string {
  const { item, weight, hash, ln, straw } = drawn;
  const longest = all.reduce(
    (most, each) => Math.max(most, each.straw ?? Number.NEGATIVE_INFINITY),
    Number.NEGATIVE_INFINITY,
  );
  const ratio =
    straw === undefined || !Number.isFinite(longest) ? 0 : straw < 0 ? longest / straw : straw / Math.max(1, longest);
  const facts = [
    ...(hash === undefined ? [] : [`hash ${hash}`]),
    ...(ln === undefined ? [] : [`ln ${ln}`]),
    `weight ${(weight / ONE).toFixed(5)}`,
    ...(straw === undefined ? [] : [`straw ${straw}`]),
  ];
  const width = Math.max(0, Math.min(100, 100 * ratio)).toFixed(1);
  return `<div class="item${isDrawn ? ' drawn' : ''}"><span class="name">${escapeText(nameOfItem(crush, item))}</span>
<span class="bar"><i style="width:${width}%"></i></span><span class="facts">${facts.join(' · ')}</span></div>`;
}
