/** The executable `spirula`: reads the command line and calls what it names. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { UserError } from './cluster/user-error.ts';
import { version } from './version.ts';

/** Where a cluster lives unless `--dir` says otherwise. */
const DEFAULT_DIR = '.spirula';

function wholeNumber(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

const dirOption = () => new Option('--dir <folder>', 'folder of the cluster').default(DEFAULT_DIR);

const files = { readFile: (path: string): Uint8Array => readFileSync(path) };
const texts = {
  stdout: (text: string | Uint8Array) => void process.stdout.write(text),
  stderr: (text: string) => void process.stderr.write(text),
};

/** Everything after the verb belongs to the tool, whose flags are Ceph's: only `--dir` is ours. */
function passThrough(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .allowUnknownOption()
    .helpOption(false)
    .passThroughOptions()
    .argument('[args...]');
}

/** Gathers what may be given several times. */
function gather(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** Gathers `--set name=value`. */
function readSetting(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('Give option=value.');
  return { ...before, [name]: value };
}

function makeProgram(): Command {
  const program = new Command('spirula')
    .description("Ceph's storage stack, small and complete: a simulator and emulator that real Ceph clients use.")
    .version(version)
    .enablePositionalOptions()
    .showHelpAfterError('(`spirula --help` lists the commands)');

  program
    .command('up')
    .description('start a cluster, or start one again; Ctrl-C stops it')
    .addOption(dirOption())
    .option('--mons <n>', 'monitors of a new cluster (3)', wholeNumber(1, 9))
    .option('--rgws <n>', 'object gateways of a new cluster, S3 on port 7480 (1)', wholeNumber(0, 3))
    .option('--mgrs <n>', 'managers of a new cluster, one active, others on standby (1)', wholeNumber(1, 3))
    .option('--osds <n>', 'OSDs of a new cluster (3)', wholeNumber(0, 100))
    .option('--port-base <port>', 'first port of a new cluster (23300)', wholeNumber(1024, 60000))
    .addOption(new Option('--store <kind>', 'where a new cluster keeps data (disk)').choices(['disk', 'memory']))
    .addOption(new Option('--auth <method>', 'how a new cluster authenticates (cephx)').choices(['cephx', 'none']))
    .option('--bind <address>', 'address of this machine that a new cluster listens on (127.0.0.1)')
    .option('--set <option=value>', "an option of Ceph's, kept for later starts; may be repeated", readSetting)
    .option(
      '--s3-fault <rule>',
      'a fault that S3 requests meet, such as error=503,probability=0.1; may be repeated',
      gather,
    )
    .option('--s3-faults <file>', 'faults of S3 requests: YAML, a list of rules')
    .option('--processes', 'run every daemon as a process of its own', false)
    .option('--detach', 'return at HEALTH_OK and leave the cluster running', false)
    .addOption(new Option('--serve').hideHelp())
    .action(async (options) => {
      const { up } = await import('./commands/up.ts');
      await up({ ...options, dir: resolve(options.dir) });
    });

  program
    .command('down')
    .description('stop the cluster; its data stay')
    .addOption(dirOption())
    .action(async (options) => (await import('./commands/control.ts')).down(resolve(options.dir)));

  program
    .command('status')
    .description('the daemons, health, and how busy the event loops are')
    .addOption(dirOption())
    .addOption(new Option('-f, --format <form>', 'form of the output').choices(['plain', 'json']).default('plain'))
    .action(async (options) => (await import('./commands/control.ts')).status(resolve(options.dir), options.format));

  program
    .command('kill')
    .description('crash a daemon: osd.1, mon.b, mgr.x')
    .argument('<daemon>')
    .option('--hang', 'make it fall silent instead', false)
    .addOption(dirOption())
    .action(async (daemon, options) =>
      (await import('./commands/control.ts')).kill(resolve(options.dir), daemon, options.hang),
    );

  program
    .command('start')
    .description('start a daemon that was killed, resume one that hangs')
    .argument('<daemon>')
    .addOption(dirOption())
    .action(async (daemon, options) => (await import('./commands/control.ts')).start(resolve(options.dir), daemon));

  program
    .command('add-mon')
    .description('add a monitor to the cluster that runs: it copies the store and joins the quorum')
    .argument('[name]', 'its name (the next letter)')
    .addOption(dirOption())
    .action(async (name, options) => (await import('./commands/control.ts')).addMon(resolve(options.dir), name));

  program
    .command('rm-mon')
    .description('remove a monitor from the cluster that runs, with all it has stored')
    .argument('<name>', 'its name, as in mon.NAME')
    .addOption(dirOption())
    .action(async (name, options) => (await import('./commands/control.ts')).removeMon(resolve(options.dir), name));

  const faults = program
    .command('s3-faults')
    .description('the faults that S3 requests meet, and how often they did: docs/s3-faults.md')
    .addOption(dirOption())
    .action(async (options) => (await import('./commands/s3-faults.ts')).listFaults(resolve(options.dir)));
  faults
    .command('add')
    .description('set faults')
    .argument('<rules...>', 'such as operation=GetObject,error=503,probability=0.1')
    .addOption(dirOption())
    .action(async (rules, options) => (await import('./commands/s3-faults.ts')).addFaults(resolve(options.dir), rules));
  faults
    .command('clear')
    .description('take faults back')
    .argument('[id]', 'one of them (all)', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .addOption(dirOption())
    .action(async (id, options) => (await import('./commands/s3-faults.ts')).clearFaults(resolve(options.dir), id));

  program
    .command('logs')
    .description("print the daemons' logs, or one daemon's")
    .argument('[daemon]')
    .addOption(dirOption())
    .option('-n, --lines <n>', 'last lines of each', wholeNumber(1, 1_000_000), 50)
    .action(async (daemon, options) =>
      (await import('./commands/logs.ts')).logs(resolve(options.dir), daemon, options.lines),
    );

  passThrough(program, 'ceph', "Ceph's command line, for those who have no Ceph installed")
    .addOption(dirOption())
    .action(async (args: string[], options) => {
      const { ceph } = await import('./ceph.ts');
      process.exitCode = await ceph(args, { ...texts, ...files, dir: resolve(options.dir) });
    });

  passThrough(program, 'rados', "Ceph's object command line")
    .addOption(dirOption())
    .action(async (args: string[], options) => {
      const { rados } = await import('./rados.ts');
      process.exitCode = await rados(args, { ...texts, ...files, dir: resolve(options.dir) });
    });

  passThrough(program, 'rbd', "Ceph's image command line")
    .addOption(dirOption())
    .action(async (args: string[], options) => {
      const { rbd } = await import('./rbd.ts');
      process.exitCode = await rbd(args, { ...texts, ...files, dir: resolve(options.dir) });
    });

  passThrough(program, 'nbd', 'images over the Network Block Device protocol')
    .addOption(dirOption())
    .action(async (args: string[], options) => {
      const { nbd } = await import('./nbd.ts');
      process.exitCode = await nbd(args, { ...texts, ...files, dir: resolve(options.dir) });
    });

  passThrough(program, 'openstack', 'pools, users and configurations for OpenStack: docs/openstack.md')
    .addOption(dirOption())
    .action(async (args: string[], options) => {
      const { openstack } = await import('./openstack.ts');
      process.exitCode = await openstack(args, { ...texts, ...files, dir: resolve(options.dir) });
    });

  passThrough(program, 'radosgw-admin', 'users and buckets of the object gateway')
    .addOption(dirOption())
    .action(async (args: string[], options) => {
      const { radosgwAdmin } = await import('./radosgw-admin.ts');
      process.exitCode = await radosgwAdmin(args, { ...texts, ...files, dir: resolve(options.dir) });
    });

  program
    .command('whatif')
    .description('what moves, and how much of it, if a cluster is changed: docs/whatif.md')
    .requiredOption('--osdmap <file>', 'an OSDMap, as `ceph osd getmap -o FILE` writes it')
    .option('--pg-dump <file>', 'what PGs hold, as `ceph pg dump -f json` prints it')
    .option(
      '--change <change>',
      'such as "out osd.3" or "add-osds 4 weight 1.8 host=h9 root=default"; in order',
      gather,
      [],
    )
    .option('--plan <file>', 'changes, one a line')
    .addOption(new Option('-f, --format <form>', 'form of the output').choices(['text', 'json']).default('text'))
    .action(async (options) => (await import('./placement/whatif.ts')).whatIf(options));

  program
    .command('explain')
    .description(
      'why an object, or a PG, is on the OSDs it is on: every draw of CRUSH, upmaps, who is down: docs/explain.md',
    )
    .requiredOption('--osdmap <file>', 'an OSDMap, as `ceph osd getmap -o FILE` writes it')
    .option('--pool <pool>', 'name or number of the pool')
    .option('--object <name>', 'the object')
    .option('--namespace <name>', 'its namespace', '')
    .option('--key <key>', 'its locator key', '')
    .option('--pg <pgid>', 'a PG in place of an object, such as 2.1f')
    .option('--all', 'show all items of each draw', false)
    .addOption(
      new Option('-f, --format <form>', 'form of the output').choices(['text', 'json', 'html']).default('text'),
    )
    .option('--out <file>', 'write there in place of standard output')
    .action(async (options) => (await import('./placement/explain.ts')).explain(options));

  passThrough(program, 'crushtool', 'make, change, show and test CRUSH maps offline').action(async (args: string[]) => {
    const { crushtool } = await import('./crushtool.ts');
    const input = { readStdin: () => readFileSync(0), stdinIsTerminal: process.stdin.isTTY };
    process.exitCode = crushtool(args, { ...texts, ...files, ...input, writeFile: writeFileSync });
  });

  passThrough(program, 'osdmaptool', 'OSDMaps offline: make, change, show, test and balance them').action(
    async (args: string[]) => {
      const { osdmaptool } = await import('./osdmaptool.ts');
      const { hostIo } = await import('./osdmaptool/host-io.ts');
      process.exitCode = await osdmaptool(args, { ...hostIo, ...texts, ...files });
    },
  );

  const sim = program.command('sim').description('run the cluster in the deterministic simulator');
  sim
    .command('run')
    .description('run a scenario under one seed, or under many')
    .argument('<scenario>', 'a name that `sim list` shows, or a file: TypeScript, JavaScript, YAML, JSON')
    .option('--seed <n>', 'the seed (1)', wholeNumber(0, 0xffff_ffff))
    .option('--seeds <from..to>', 'a range of seeds, such as 1..1000')
    .option('--jobs <n>', 'seeds run at a time (one a core)', wholeNumber(1, 256))
    .option('--shard <i/n>', 'of the range only part i of n, counted from 0: for several machines')
    .option('--until <span>', "how long faults last, such as 90s or 1h (the scenario's own time)")
    .option('--trace <file>', 'write all that happens to this file, compressed when its name ends with .gz')
    .option('--shrink [file]', 'when it fails, make the smallest case that fails in the same way, as YAML')
    .action(async (scenario, options) => {
      const { runSim } = await import('./commands/sim.ts');
      process.exitCode = await runSim(scenario, options);
    });
  sim
    .command('swarm')
    .description('run every scenario in configurations that seeds draw; past finds first; totals add up over runs')
    .option('--minutes <n>', 'for so long (10)', wholeNumber(1, 100_000))
    .option('--runs <n>', 'or so many runs', wholeNumber(1, 1_000_000_000))
    .option('--jobs <n>', 'runs at a time (one a core)', wholeNumber(1, 256))
    .option('--shard <i/n>', 'only part i of n of all runs, counted from 0: for several machines')
    .option('--state <file>', 'where totals are kept', '.spirula/swarm.json')
    .action(async (options) => {
      const { runSwarm } = await import('./commands/sim-swarm.ts');
      process.exitCode = await runSwarm(options);
    });
  sim
    .command('shell')
    .description('step through a run: let time pass, break things, ask Ceph, go back')
    .argument('<scenario>', 'its name, or a file (.ts, .js, .yaml, .json)')
    .option('--seed <n>', 'the seed (1)', wholeNumber(0, 0xffff_ffff))
    .option('--until <span>', "how long faults last, such as 90s or 1h (the scenario's own time)")
    .option('--exec <commands>', "commands to run, apart by ';'; without it they are typed, or piped in")
    .action(async (scenario, options) => {
      const { runShell } = await import('./commands/sim-shell.ts');
      process.exitCode = await runShell(scenario, options);
    });
  sim
    .command('trace')
    .description('show a trace that `sim run --trace` wrote: as text, as JSON lines, or as a page for a browser')
    .argument('<file>')
    .option('--pg <ids>', 'what is about these PGs, such as 1.7')
    .option('--daemon <names>', 'what these daemons do, such as osd.3,mon.a')
    .option('--type <types>', 'messages of these types, such as osd_op,pg_*')
    .option('--kind <kinds>', 'entries of these kinds, such as message,timer,pg')
    .option('--from <time>', 'from this virtual time on, such as 10s')
    .option('--to <time>', 'up to this virtual time')
    .option('--last <n>', 'the last so many of those', wholeNumber(1, 10_000_000))
    .addOption(new Option('--format <form>', 'form of the output').choices(['text', 'json', 'html']).default('text'))
    .option('--out <file>', 'write to this file')
    .action(async (file, options) => (await import('./commands/sim-trace.ts')).showTrace(file, options));
  sim
    .command('list')
    .description('list the scenarios')
    .action(async () => (await import('./commands/sim.ts')).printScenarios());

  program
    .command('demo')
    .description('store a real directory tree while OSDs die and come back; check every byte and every replica')
    .option('--tree <folder>', 'the tree to store (the installed dependencies)')
    .addOption(new Option('--dir <folder>', 'folder of the cluster (a temporary one)'))
    .action(async (options) => {
      const { demo } = await import('./commands/demo.ts');
      process.exitCode = await demo(options);
    });

  program
    .command('daemon', { hidden: true })
    .argument('<name>')
    .requiredOption('--dir <folder>')
    .option('--s3-fault <rule>', '', gather)
    .action(async (name, options) =>
      (await import('./cluster/daemon-main.ts')).daemonMain(resolve(options.dir), name, options.s3Fault ?? []),
    );

  return program;
}

// Whoever reads what is printed may have read enough (`| head`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

try {
  await makeProgram().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode;
  else if (error instanceof UserError) {
    process.stderr.write(`spirula: ${error.message}\n`);
    process.exitCode = 1;
  } else throw error;
}
