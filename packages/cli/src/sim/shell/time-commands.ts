/** Commands that let time pass, or turn it back. */
import { formatSpan, inSeconds, parseCondition, printReport, problemsOf, type Report } from '@spirula/sim-scenarios';
import { type Bench, type Commands, readCount, readSpan, ShellError, takeWords } from './bench.ts';

/** `until` gives up after so long, unless it is told otherwise. */
const UNTIL_LIMIT = '5m';
/** Lines that `step` prints. */
const MAX_SHOWN = 100;

export const TIME_COMMANDS: Commands = {
  step: {
    usage: 'step [N]',
    help: 'the next event, or the next N, with what comes of each: a line each',
    run: async (bench, words) => {
      takeWords(words, 1, TIME_COMMANDS['step']!);
      const count = readCount(words[0], 1);
      bench.checkOpen();
      const { simulation } = bench.lab;
      const until = simulation.events + count;
      const seen = bench.trace.count;
      const halt = await bench.timeline.advance({ stop: () => simulation.events >= until });
      const lines = bench.trace.count - seen;
      if (lines > MAX_SHOWN) bench.print(`... ${lines - MAX_SHOWN} lines more; the last are:`);
      for (const line of bench.trace.last(Math.min(lines, MAX_SHOWN))) bench.print(line);
      bench.explain(halt);
    },
  },
  run: {
    usage: 'run [SPAN]',
    help: 'let time pass: 10s, 1.5m; without a span to the end of the faults',
    run: async (bench, words) => {
      takeWords(words, 1, TIME_COMMANDS['run']!);
      bench.checkOpen();
      const [span] = words;
      const until = span === undefined ? bench.lab.faultsEnd : bench.now + readSpan(span);
      if (until <= bench.now) throw new ShellError('the faults have ended: "run 10s" goes on, "finish" to the verdict');
      bench.explain(await bench.timeline.advance({ until }));
      bench.print(place(bench));
    },
  },
  until: {
    usage: 'until CONDITION [within SPAN]',
    help: `let time pass until something holds: until osd.2 down, until all pgs active+clean within 2m (${UNTIL_LIMIT})`,
    run: async (bench, words) => {
      const at = words.lastIndexOf('within');
      const [said, limit, extra] =
        at < 0 ? [words, UNTIL_LIMIT] : [words.slice(0, at), words[at + 1] ?? '', words[at + 2]];
      if (extra !== undefined) throw new ShellError(`${extra}: expected ${TIME_COMMANDS['until']!.usage}`);
      const condition = parseCondition(said.join(' '));
      const until = bench.now + readSpan(limit);
      bench.checkOpen();
      const { lab } = bench;
      if (condition.holds(lab.cluster, undefined)) {
        bench.print(`${condition.text}: holds already; ${place(bench)}`);
        return;
      }
      const began = bench.now;
      let held = false;
      lab.watch((moment) => {
        const { concerns } = condition;
        if (held || (concerns !== undefined && !concerns.includes(moment.process.spec.entity.type))) return;
        held = condition.holds(lab.cluster, moment);
      });
      try {
        const halt = await bench.timeline.advance({ until, stop: () => held });
        if (!held) bench.explain(halt);
      } finally {
        lab.watch(undefined);
      }
      const spent = `${inSeconds(bench.now - began)} s`;
      if (!held) throw new ShellError(`${condition.text}: not within ${spent}; ${place(bench)}`);
      bench.print(`${condition.text}: after ${spent}; ${place(bench)}`);
    },
  },
  finish: {
    usage: 'finish',
    help: 'to the verdict, which it prints as `sim run` does',
    run: async (bench, words) => {
      takeWords(words, 0, TIME_COMMANDS['finish']!);
      const { timeline, scenario, seed } = bench;
      let halt = await timeline.advance({});
      // What is violated ends the run, by itself.
      while (halt === 'violated') halt = await timeline.advance({});
      if (halt !== 'over') bench.explain(halt);
      const byHand =
        timeline.actions.length === 0 ? '' : ` (and ${timeline.actions.length} actions by hand: see "save")`;
      const replay = `npx spirula sim run ${scenario.source} --seed ${seed}${byHand}`;
      const report: Report = { ...timeline.outcome!, scenario: scenario.name, seed, replay };
      bench.print(printReport(report));
      const problems = problemsOf(report);
      if (problems.length > 0) throw new ShellError(`the verdict: ${problems[0]!.split('\n')[0]}`);
    },
  },
  rewind: {
    usage: 'rewind SPAN | rewind to SPAN | rewind N events',
    help: 'back by a while, to a virtual time, or by N events, to before what you did then (0s undoes what you did last)',
    run: rewind,
  },
};

async function rewind(bench: Bench, words: readonly string[]): Promise<void> {
  const target = readTarget(bench, words);
  const dropped = await bench.timeline.rewind(target);
  bench.print(place(bench));
  for (const { action, position } of dropped) bench.print(`dropped: ${action.text} (at ${formatSpan(position.at)})`);
}

function readTarget(bench: Bench, words: readonly string[]): { at: number } | { events: number } {
  const { began, simulation } = bench.lab;
  const [first = '', second, extra] = words;
  if (extra !== undefined) throw new ShellError(`${extra}: expected ${TIME_COMMANDS['rewind']!.usage}`);
  if (second === 'events' || second === 'event') {
    return { events: Math.max(0, simulation.events - readCount(first, 1)) };
  }
  if (first !== 'to' && second !== undefined) {
    throw new ShellError(`${second}: expected ${TIME_COMMANDS['rewind']!.usage}`);
  }
  const at = first === 'to' ? readSpan(second ?? '') : bench.now - readSpan(first);
  if (at > bench.now) throw new ShellError(`it is ${inSeconds(bench.now)} s only: "run" goes forward`);
  if (at < began) throw new ShellError(`the cluster is up since ${inSeconds(began)} s: one cannot go back beyond that`);
  return { at };
}

/** Where the run is, to the microsecond, so that one can come back. */
export function place({ timeline: { position } }: Bench): string {
  return `now ${formatSpan(position.at)}, ${position.events} events`;
}
