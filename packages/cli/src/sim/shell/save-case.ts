/** Writes down what was done by hand, so that it can be run again without a hand. */
import { type FaultPlan, formatSpan, inSeconds } from '@spirula/sim-scenarios';
import { stringify } from 'yaml';
import type { Bench } from './bench.ts';

interface SavedCase {
  /** YAML that `sim run` takes. */
  readonly text: string;
  readonly entries: number;
  /** What cannot be said in a scenario. */
  readonly left: readonly string[];
}

type Entry = { -readonly [K in keyof FaultPlan]: FaultPlan[K] };

export function describeCase({ lab, seed, scenario, timeline }: Bench): SavedCase {
  const entries: { readonly text: string; readonly entry: Entry; readonly at: number }[] = [];
  const left: string[] = [];
  for (const { action, position } of timeline.actions) {
    const at = position.at - lab.began;
    const { text, entry, ends } = action;
    if (position.at >= lab.faultsEnd) left.push(`${text} (at ${inSeconds(position.at)} s, when the faults had ended)`);
    else if (ends !== undefined) {
      for (const ended of ends) {
        const struck = entries.findLast((each) => each.text === ended && each.entry.for === undefined);
        if (struck === undefined) left.push(`end ${ended}, a fault of the scenario`);
        else struck.entry.for = formatSpan(at - struck.at);
      }
    } else if (entry === undefined) left.push(`${text}, which changes nothing that a scenario could say`);
    else entries.push({ text, at, entry: { at: formatSpan(at), ...entry } as Entry });
  }
  const { spec } = lab;
  const faults = [...spec.faults, ...entries.map(({ entry }) => entry)];
  const heading = `# ${scenario.name}, seed ${seed}, and what was done to it by hand.\n`;
  const text =
    heading + stringify({ ...spec, name: `${spec.name}-by-hand`.replace(/(-by-hand)+$/, '-by-hand'), seed, faults });
  return { text, entries: entries.length, left };
}
