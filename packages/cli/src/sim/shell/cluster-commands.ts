/** Commands of Ceph's own tools, given by an operator of the simulated cluster. */
import { inSeconds } from '@spirula/sim-scenarios';
import { SECOND } from '@spirula/world';
import { type Bench, type Commands, ShellError } from './bench.ts';
import { beginCommand, newReply, type Tool } from './operator.ts';
import { place } from './time-commands.ts';

/** A command that is not answered within so long is left under way. */
const PATIENCE = 60 * SECOND;
/** What would wait for the terminal, or take the host's time. */
const REFUSED: readonly RegExp[] = [/^-w$/, /^-W/, /^--watch/, /^bench$/, /^watch$/];

export const CLUSTER_COMMANDS: Commands = {
  ceph: {
    usage: 'ceph WORDS',
    help: 'any command of Ceph: ceph -s, ceph osd tree, ceph health detail; time passes until it is answered',
    run: (bench, words) => runTool(bench, 'ceph', words),
  },
  pg: {
    usage: 'pg PGID query',
    help: 'the same as ceph pg PGID query',
    run: (bench, words) => runTool(bench, 'ceph', ['pg', ...words]),
  },
  rados: {
    usage: 'rados WORDS',
    help: 'objects: rados ls, rados put NAME FILE, rados get NAME -; in the first pool unless -p says another',
    run: (bench, words) => {
      const [, name = ''] = [...bench.lab.cluster.osdMap!.poolNames][0] ?? [];
      const isNamed = words.some((word) => word.startsWith('-p') || word.startsWith('--pool'));
      if (/^(put|append)$/.test(words[0] ?? '') && words.includes('-')) {
        throw new ShellError('-: expected a file; the shell reads its commands from there');
      }
      return runTool(bench, 'rados', isNamed ? words : ['-p', name, ...words]);
    },
  },
};

export async function runTool(bench: Bench, tool: Tool, words: readonly string[]): Promise<void> {
  const refused = words.find((word) => REFUSED.some((pattern) => pattern.test(word)));
  if (refused !== undefined) throw new ShellError(`${refused}: that waits for time outside the simulation`);
  bench.checkOpen();
  const reply = newReply();
  let isFirst = true;
  const began = bench.now;
  await bench.timeline.act({
    text: `${tool} ${words.join(' ')}`,
    get entry() {
      // Of a list of commands only the last can be one entry; tools send one that changes something.
      const command = reply.changes.at(-1);
      return command === undefined ? undefined : { fault: 'command', command };
    },
    begin: (lab) => {
      beginCommand(lab, tool, words, isFirst ? reply : newReply());
      isFirst = false;
    },
  } as Parameters<typeof bench.timeline.act>[0]);
  const isAnswered = () => reply.status !== undefined;
  const halt = isAnswered() ? 'stopped' : await bench.timeline.advance({ until: began + PATIENCE, stop: isAnswered });
  if (reply.output !== '') bench.print(reply.output.trimEnd());
  bench.print(`(${inSeconds(bench.now - began)} s have passed; ${place(bench)})`);
  if (reply.status === undefined) {
    bench.explain(halt);
    throw new ShellError(`no answer within ${inSeconds(PATIENCE)} s; the command is left under way`);
  }
  if (reply.status !== 0) throw new ShellError(`${tool}: exit status ${reply.status}`);
}
