/** The shell over one simulated run: reads a line, does it, prints what came of it. Knows no terminal. */
import {
  CONDITION_FORMS,
  FaultSyntaxError,
  HistoryDiffers,
  UnknownCondition,
  UnknownTarget,
} from '@spirula/sim-scenarios';
import { Bench, type BenchOptions, type Command, type Commands, ShellError } from './bench.ts';
import { CLUSTER_COMMANDS } from './cluster-commands.ts';
import { FAULT_COMMANDS } from './fault-commands.ts';
import { describeDaemon, LOOK_COMMANDS } from './look-commands.ts';
import { place, TIME_COMMANDS } from './time-commands.ts';

const GROUPS: readonly (readonly [title: string, commands: Commands])[] = [
  ['Time', TIME_COMMANDS],
  ['Looking', LOOK_COMMANDS],
  ["Ceph's tools", CLUSTER_COMMANDS],
  ['Faults: whom, field=value, for SPAN; "help FAULT" says more', FAULT_COMMANDS],
];
const COMMANDS: Commands = Object.assign({}, ...GROUPS.map(([, commands]) => commands));
const USAGE_COLUMN = 34;
/** Words that name daemons, in faults. */
const SELECTORS = ['mons', 'osds', 'mgrs', 'clients', 'daemons', 'everyone', 'leader', 'peons', 'primary of', 'rest'];
/** Of Ceph's commands, those that are asked most. */
const CEPH_WORDS = [
  '-s',
  'health',
  'detail',
  'osd',
  'pg',
  'tree',
  'df',
  'out',
  'in',
  'dump',
  'stat',
  'quorum_status',
  'query',
];

export class SimShell {
  readonly #bench: Bench;
  #over = false;

  /** Brings the cluster up. @throws NoCluster */
  constructor(options: BenchOptions) {
    this.#bench = new Bench(options);
  }

  /** Somebody has said `quit`. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Where the run is, in a line. */
  get place(): string {
    return place(this.#bench);
  }

  /** Does what a line says. Returns false when it failed: why is printed. */
  async execute(line: string): Promise<boolean> {
    const text = line.trim();
    const words = text.split(/\s+/);
    const [name = '', ...rest] = words;
    if (text === '' || text.startsWith('#')) return true;
    try {
      await this.#run(name, rest, text);
      return true;
    } catch (error) {
      if (!isForPeople(error)) throw error;
      this.#bench.print(error.message);
      return false;
    }
  }

  async #run(name: string, words: readonly string[], line: string): Promise<void> {
    if (name === 'quit' || name === 'exit') this.#over = true;
    else if (name === 'help') this.#help(words[0]);
    else if (Object.hasOwn(COMMANDS, name)) await COMMANDS[name]!.run(this.#bench, words, line);
    else if (/^\w+\.\w+$/.test(name) && words.length === 0) this.#bench.print(describeDaemon(this.#bench.lab, name));
    else throw new ShellError(`${name}: expected a command or a daemon; "help" lists the commands`);
  }

  #help(name: string | undefined): void {
    const { print } = this.#bench;
    if (name !== undefined) {
      const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
      if (command === undefined) throw new ShellError(`${name}: expected a command; "help" lists them`);
      print(usageLine(command));
      if (name === 'until') print(`conditions: ${CONDITION_FORMS}`);
      return;
    }
    for (const [title, commands] of GROUPS) {
      print(`${title}:`);
      for (const command of Object.values(commands)) print(`  ${usageLine(command)}`);
    }
    print('Others:');
    print(`  ${usageLine({ usage: 'osd.2, mon.a, client.0', help: 'a daemon as it is inside' })}`);
    print(`  ${usageLine({ usage: 'help [COMMAND], quit', help: '' })}`);
  }

  /** What the last word of a line may become, as readline asks: the candidates, and what they replace. */
  complete(line: string): [string[], string] {
    const words = line.trimStart().split(/\s+/);
    const last = words.at(-1)!;
    const daemons = this.#bench.lab.simulation.processes.map(({ name }) => name);
    const all =
      words.length === 1 ? [...Object.keys(COMMANDS), 'help', 'quit', ...daemons] : this.#wordsOf(words[0]!, daemons);
    return [all.filter((each) => each.startsWith(last)).map((each) => `${each} `), last];
  }

  #wordsOf(command: string, daemons: readonly string[]): readonly string[] {
    if (command === 'help') return Object.keys(COMMANDS);
    if (command === 'ceph') return CEPH_WORDS;
    if (command === 'until') return ['all pgs active+clean', 'any pg', 'no leader', 'health', 'within', ...daemons];
    if (command === 'log') return daemons;
    if (command === 'trace') return ['last', ...daemons];
    if (command === 'end') return this.#bench.lab.injector.active.map(({ fault }) => fault.fault);
    return Object.hasOwn(FAULT_COMMANDS, command) ? [...daemons, ...SELECTORS, 'for'] : [];
  }
}

/** Whether an error says what somebody did wrong, or what they must know; anything else is a bug of this program. */
function isForPeople(error: unknown): error is Error {
  return [ShellError, FaultSyntaxError, UnknownCondition, UnknownTarget, HistoryDiffers].some(
    (kind) => error instanceof kind,
  );
}

function usageLine({ usage, help }: Pick<Command, 'usage' | 'help'>): string {
  return `${usage.padEnd(USAGE_COLUMN)} ${help}`.trimEnd();
}
