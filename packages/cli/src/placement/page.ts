import { escapeText } from '../escape-text.ts';

/** A page that opens from disk: all that it needs is in it. Light or dark as the reader has it, narrow or wide. */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body><main>
${body}
</main></body>
</html>
`;
}

const STYLE = `
:root { color-scheme: light dark; --paper: #fbfaf7; --raised: #fff; --ink: #24272b; --muted: #71767d; --line: #e3e1da; --bar: #c9c6bd;
  --accent: #1f5fd6; --good: #1e7a3c; --bad: #b3372b; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #17191c; --raised: #202327; --ink: #e4e3df; --muted: #989da4; --line: #2c3035; --bar: #454b52;
    --accent: #7fb0ff; --good: #6fcf8b; --bad: #f0867a; }
}
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
h3 { font-size: .95rem; margin: 0 0 .5rem; }
p { margin: 0 0 .35rem; color: var(--muted); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; }
dt { color: var(--muted); }
dd { margin: 0; overflow-wrap: anywhere; }
.try { background: var(--raised); border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem; margin: .5rem 0; }
.try.below { margin-left: clamp(.5rem, 4vw, 2.5rem); }
.try.rejected { border-style: dashed; }
.good { color: var(--good); }
.bad { color: var(--bad); font-weight: normal; }
.draw { margin: .5rem 0; }
.item { display: grid; grid-template-columns: 7rem minmax(3rem, 1fr) 25rem; gap: 0 .75rem; align-items: center; font-size: .85rem; }
.item .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.item .facts { color: var(--muted); font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.item .bar i { display: block; height: .55rem; border-radius: 3px; background: var(--bar); min-width: 1px; }
.item.drawn .bar i { background: var(--accent); }
.item.drawn .name { font-weight: 600; }
summary { color: var(--muted); cursor: pointer; font-size: .85rem; }
@media (max-width: 50rem) { .item { grid-template-columns: 6rem 1fr; } .item .facts { grid-column: 1 / -1; margin-bottom: .4rem; } }
`;
