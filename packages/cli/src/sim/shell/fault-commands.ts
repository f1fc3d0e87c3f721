/** Commands that do something to the cluster. */
import {
  describeFault,
  FAULT_SCHEMAS,
  FAULT_TEXTS,
  type Fault,
  FaultSyntaxError,
  findTargets,
  formatSpan,
  type Lab,
  parseFault,
  parseSpan,
  UnknownTarget,
} from '@spirula/sim-scenarios';
import { type Bench, type Commands, ShellError } from './bench.ts';
import { runTool } from './cluster-commands.ts';

/** By kind of fault: what `crash osd.2 for 10s` does. */
const STRIKES: Commands = Object.fromEntries(
  (Object.keys(FAULT_SCHEMAS) as Fault['fault'][]).map((kind) => [
    kind,
    {
      usage: kind,
      help: FAULT_TEXTS[kind],
      run: (bench: Bench, _: readonly string[], line: string) => strike(bench, line),
    },
  ]),
);

export const FAULT_COMMANDS: Commands = {
  ...STRIKES,
  kill: {
    usage: 'kill DAEMONS',
    help: 'the same as crash',
    run: (bench, _, line) => strike(bench, line.replace(/^kill/, 'crash')),
  },
  command: {
    usage: 'command WORDS',
    help: 'a command to the monitors, as `ceph` takes it; or as JSON, whose answer nobody waits for',
    run: (bench, words, line) =>
      words[0]?.startsWith('{') || line.includes('=') ? strike(bench, line) : runTool(bench, 'ceph', words),
  },
  end: {
    usage: 'end FAULT',
    help: 'ends faults that last: end crash osd.2, end partition; "heal" ends all',
    run: end,
  },
};

async function strike(bench: Bench, line: string): Promise<void> {
  const { fault, for: duration } = parseFault(line);
  const text = describeFault(fault) + (duration === undefined ? '' : ` for ${duration}`);
  bench.checkOpen();
  const injection = duration === undefined ? {} : { forUs: parseSpan(duration)! };
  await bench.timeline.act({
    text,
    entry: { ...fault, ...(duration !== undefined && { for: formatSpan(injection.forUs!) }) },
    begin: (lab) => {
      checkTargets(lab, fault);
      // By hand everything goes, when all that was planned is over, too.
      if (lab.simulation.now >= lab.faultsEnd) lab.injector.reopen();
      const { withheld } = lab.injector;
      lab.injector.inject(fault, injection);
      if (lab.injector.withheld > withheld) {
        throw new ShellError(`${lab.injector.history.at(-1)} (the scenario is redundancyAware)`);
      }
    },
  });
  bench.print(`done: ${text}`);
}

/** Before anything is done. @throws UnknownTarget */
function checkTargets({ cluster }: Lab, fault: Fault): void {
  if ('groups' in fault) for (const group of fault.groups) if (group !== 'rest') findTargets(cluster, group);
  if ('client' in fault && !cluster.clients.some(({ process }) => process.name === fault.client)) {
    throw new UnknownTarget(`no client is called ${fault.client}`);
  }
}

async function end(bench: Bench, words: readonly string[]): Promise<void> {
  const said = words.join(' ');
  const isMeant = (text: string) => text === said || text.startsWith(`${said} `);
  const textsOf = (lab: Lab) => lab.injector.active.map(({ fault }) => describeFault(fault));
  const lasting = textsOf(bench.lab);
  const ends = lasting.filter(isMeant);
  if (said === '' || ends.length === 0) {
    const list = lasting.length === 0 ? 'no fault lasts' : `those that last: ${lasting.join('; ')}`;
    throw new FaultSyntaxError(`${said === '' ? 'end what' : said}: expected a fault that lasts; ${list}`);
  }
  await bench.timeline.act({
    text: `end ${said}`,
    ends,
    begin: ({ injector }) => {
      for (const active of injector.active) if (isMeant(describeFault(active.fault))) active.end();
    },
  });
  for (const text of ends) bench.print(`ended: ${text}`);
}
