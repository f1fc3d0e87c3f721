/** Commands that only look, from outside: no message is sent, and no time passes. */
import { writeFileSync } from 'node:fs';
import { formatVersion } from '@spirula/encoding';
import { osdExists, osdIn, osdUp } from '@spirula/maps';
import { describeFault, inSeconds, type Lab } from '@spirula/sim-scenarios';
import { type Bench, type Commands, readCount, ShellError, takeWords } from './bench.ts';
import { describeCase } from './save-case.ts';

const LOG_LINES = 20;
const TRACE_LINES = 20;

export const LOOK_COMMANDS: Commands = {
  status: { usage: 'status', help: 'the cluster at a glance', run: (bench) => bench.print(describeCluster(bench)) },
  pgs: { usage: 'pgs', help: 'every PG, as its primary says', run: (bench) => bench.print(listPgs(bench.lab)) },
  faults: {
    usage: 'faults',
    help: 'what was done to the cluster, and what of it lasts',
    run: ({ lab, print }) => {
      for (const line of lab.injector.history) print(line);
      print(`lasting: ${lastingFaults(lab).join('; ') || 'none'}`);
    },
  },
  log: {
    usage: 'log [DAEMON] [N]',
    help: `the last ${LOG_LINES} lines that daemons logged, or the last N of one`,
    run: ({ lab, print }, words) => {
      const { daemon, count } = readTail(lab, words, LOG_LINES);
      const lines = lab.simulation.logLines.filter(({ process }) => daemon === undefined || process === daemon);
      for (const { at, process, level, message, facts } of lines.slice(-count)) {
        const shown = facts === undefined ? '' : ` ${JSON.stringify(facts, printable)}`;
        print(`${inSeconds(at).padStart(9)} ${process.padEnd(8)} ${level.padEnd(5)} ${message}${shown}`);
      }
    },
  },
  trace: {
    usage: 'trace last N [DAEMON]',
    help: `the last N entries of the trace (${TRACE_LINES}), or of what one daemon did`,
    run: ({ lab, print, trace }, words) => {
      const { daemon, count } = readTail(lab, words[0] === 'last' ? words.slice(1) : words, TRACE_LINES);
      for (const line of trace.last(count, daemon)) print(line);
    },
  },
  actions: {
    usage: 'actions',
    help: 'what was done by hand',
    run: ({ timeline, print }) => {
      for (const { action, position } of timeline.actions) {
        print(`${inSeconds(position.at).padStart(9)} ${String(position.events).padStart(7)}  ${action.text}`);
      }
    },
  },
  save: {
    usage: 'save FILE',
    help: 'writes the scenario with what you did as a scenario of its own (YAML), for `sim run FILE`',
    run: (bench, words) => {
      takeWords(words, 1, LOOK_COMMANDS['save']!);
      const [file] = words;
      if (file === undefined) throw new ShellError('save: expected a file to write to');
      const { text, entries, left } = describeCase(bench);
      try {
        writeFileSync(file, text);
      } catch (error) {
        throw new ShellError((error as Error).message);
      }
      bench.print(`${file}: ${entries} actions; to run it: npx spirula sim run ${file}`);
      for (const each of left) bench.print(`not in it: ${each}`);
    },
  },
  seed: { usage: 'seed', help: 'the seed of this run', run: ({ seed, print }) => print(String(seed)) },
  digest: {
    usage: 'digest',
    help: 'what tells this history from others, up to here',
    run: ({ lab, print }) => print(lab.simulation.digest),
  },
};

function printable(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

/** `[DAEMON] [N]`, in either order. */
function readTail(
  lab: Lab,
  words: readonly string[],
  usual: number,
): { readonly daemon: string | undefined; readonly count: number } {
  const daemon = words.find((word) => lab.simulation.processes.some(({ name }) => name === word));
  const [number, extra] = words.filter((word) => word !== daemon);
  if (extra !== undefined) throw new ShellError(`${extra}: expected a daemon and a number`);
  if (number !== undefined && !/^\d+$/.test(number)) throw new ShellError(`${number}: expected a daemon or a number`);
  return { daemon, count: readCount(number, usual) };
}

function describeCluster({ lab, seed, timeline }: Bench): string {
  const { simulation, cluster, began, faultsEnd } = lab;
  const { now, events } = simulation;
  const phase =
    timeline.outcome !== undefined
      ? 'over'
      : now < faultsEnd
        ? `faults until ${inSeconds(faultsEnd)} s`
        : `faults ended at ${inSeconds(faultsEnd)} s`;
  const lines = [
    `time     ${inSeconds(now)} s, ${inSeconds(now - began)} s after the start; ${phase}; event ${events}, seed ${seed}`,
    `mons     ${cluster.mons.map((place) => describeMon(place)).join(', ')}`,
    `health   ${describeHealth(lab)}`,
    `osds     epoch ${cluster.osdMap?.epoch ?? 'unknown'}: ${cluster.osds.map(({ id }) => describeOsdState(lab, id)).join(', ')}`,
    `mgrs     ${cluster.mgrs.map(({ name, state }) => `${name} ${state}`).join(', ') || 'none'}`,
    `pgs      ${summarizePgs(lab)}`,
    `clients  ${cluster.clients
      .map(({ process, daemon }) => `${process.name} ${daemon!.underWay} requests under way, ${daemon!.done} done`)
      .join(', ')}`,
    `faults   ${lastingFaults(lab).join('; ') || 'none lasts'}`,
  ];
  for (const violation of simulation.violations) lines.push(`VIOLATED ${violation.split('\n')[0]}`);
  return lines.join('\n');
}

function describeMon({ process, daemon }: Lab['cluster']['mons'][number]): string {
  if (process.state !== 'running') return `${process.name} ${process.state}`;
  const { role, epoch, quorum } = daemon!.inspect();
  return `${process.name} ${role} (epoch ${epoch}${role === 'leader' ? `, quorum ${quorum.join(' ')}` : ''})`;
}

function describeHealth({ cluster }: Lab): string {
  for (const { process, daemon } of cluster.mons) {
    const view = process.state === 'running' ? daemon!.inspect() : undefined;
    if (view?.role !== 'leader') continue;
    const { status, checks } = view.health();
    return [status, ...checks.keys()].join(' ');
  }
  return 'nobody leads';
}

/** Who differs from `osd.1 up in` says so. */
function describeOsdState({ cluster }: Lab, id: number): string {
  const map = cluster.osdMap;
  const { process } = cluster.osds[id]!;
  const inMap =
    map === undefined
      ? ''
      : osdExists(map, id)
        ? ` ${osdUp(map, id) ? 'up' : 'down'} ${osdIn(map, id) ? 'in' : 'out'}`
        : ' not in the map';
  return `${process.name}${inMap}${process.state === 'running' ? '' : ` (${process.state})`}`;
}

/** PGs by their names, with what their primaries say. */
function pgsOf({ cluster }: Lab) {
  const map = cluster.osdMap;
  if (map === undefined) return [];
  return [...map.pools].flatMap(([pool, { pgNum }]) =>
    Array.from({ length: pgNum }, (_, seed) => {
      const name = `${pool}.${seed.toString(16)}`;
      return { name, view: cluster.primaryViewOf(name) };
    }),
  );
}

function summarizePgs(lab: Lab): string {
  const counts = new Map<string, number>();
  const pgs = pgsOf(lab);
  for (const { view } of pgs) {
    const state = view?.state ?? 'unknown';
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return `${pgs.length}: ${[...counts].map(([state, count]) => `${count} ${state}`).join(', ')}`;
}

function listPgs(lab: Lab): string {
  return pgsOf(lab)
    .map(({ name, view }) => {
      if (view === undefined) return `${name.padEnd(6)} no primary runs`;
      const { state, peering, up, acting, logHead, missing, waitingOps } = view;
      const sets = `${`${up}` === `${acting}` ? '' : `up [${up}] `}acting [${acting}]`;
      return `${name.padEnd(6)} ${state.padEnd(32)} ${peering.padEnd(12)} ${sets} at ${formatVersion(logHead)}, ${missing} missing, ${waitingOps} waiting`;
    })
    .join('\n');
}

/** A process that was crashed and runs again does not suffer any more. */
function lastingFaults({ injector }: Lab): string[] {
  return injector.active
    .filter(({ fault, processes }) => {
      const ofProcess = ['crash', 'power-loss', 'hang', 'stop'].includes(fault.fault);
      return !ofProcess || processes.some(({ state }) => state !== 'running');
    })
    .map(({ fault }) => describeFault(fault));
}

/** One daemon, as it is inside. @throws ShellError when nobody is called so */
export function describeDaemon(lab: Lab, name: string): string {
  const { cluster, simulation } = lab;
  const process = simulation.processes.find((each) => each.name === name);
  if (process === undefined) throw new ShellError(`nobody is called ${name}`);
  const lines = [`${name}: ${process.state}, started ${process.runs} times, ${process.sessions.length} sessions`];
  const mon = cluster.mons.find((each) => each.process === process);
  const osd = cluster.osds.find((each) => each.process === process);
  const client = cluster.clients.find((each) => each.process === process);
  if (mon?.daemon !== undefined && process.state !== 'stopped') {
    const { role, epoch, quorum, firstCommitted, lastCommitted, osdMap } = mon.daemon.inspect();
    lines.push(`  ${role}, election epoch ${epoch}, quorum [${quorum}]`);
    lines.push(`  paxos ${firstCommitted}..${lastCommitted}, OSDMap ${osdMap?.epoch ?? 'none'}`);
  }
  if (osd?.daemon !== undefined && process.state !== 'stopped') {
    const { boot, epoch, pgs } = osd.daemon.inspect();
    lines.push(`  ${describeOsdState(lab, osd.id)}; ${boot}, OSDMap ${epoch}`);
    for (const { pgid, isPrimary, state, peering, acting, logHead, missing } of pgs) {
      const role = isPrimary ? `primary, ${state}` : 'replica';
      lines.push(
        `  pg ${pgid} ${role}, ${peering}, acting [${acting}], at ${formatVersion(logHead)}, ${missing} missing`,
      );
    }
  }
  if (client?.daemon !== undefined) {
    const { underWay, done, timedOut, objecter } = client.daemon;
    lines.push(`  ${underWay} requests under way, ${done} done, ${timedOut} given up; OSDMap ${objecter.map?.epoch}`);
  }
  return lines.join('\n');
}
