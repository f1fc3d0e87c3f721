/** `spirula crushtool`: CRUSH maps offline, as Ceph's tool of that name (src/tools/crushtool.cc). */
import { CrushDraft, encodeCrushMap } from '@spirula/crush';
import { display } from './crushtool/display-stage.ts';
import { systemComplaint } from './crushtool/file-errors.ts';
import { readInput, readMap } from './crushtool/input-stage.ts';
import { modify } from './crushtool/modify-stage.ts';
import { parseArguments } from './crushtool/parse-arguments.ts';
import type { Request } from './crushtool/request.ts';
import { compareMaps, testMap } from './crushtool/test-stage.ts';
import { type CrushToolIo, Ending } from './crushtool/tool-io.ts';
import { USAGE } from './crushtool/usage.ts';

/** Runs the tool and returns its exit status. What it prints on standard output is, to the byte, that of Ceph 16.2.15. */
export function crushtool(argv: readonly string[], io: CrushToolIo): number {
  try {
    if (argv.length === 0) throw new Ending('crushtool: -h or --help for usage\n');
    if (argv.includes('-h') || argv.includes('--help')) {
      io.stdout(USAGE);
      return 0;
    }
    const request = parseArguments(argv, io);
    if (request !== 'help-output') run(request, io);
    return 0;
  } catch (error) {
    if (!(error instanceof Ending)) throw error;
    io.stderr(error.message);
    return error.status;
  }
}

/** All stages, one after the other. */
function run(request: Request, io: CrushToolIo): void {
  const { map: input, made } = readInput(request, io);
  const draft = new CrushDraft(input);
  const changed = modify(draft, request, io);
  const map = draft.toMap();
  display(map, request, io);
  if (request.test) testMap(map, request.tester, io);
  if (request.compare !== '') compareMaps(map, readMap(request.compare, io), request.tester, io);
  if (!made && !changed) return;
  draft.finalize();
  write(draft, request, io);
}

function write(draft: CrushDraft, { output, verbose }: Request, io: CrushToolIo): void {
  if (output === '') {
    io.stdout("crushtool successfully built or modified map.  Use '-o <file>' to write it out.\n");
    return;
  }
  try {
    io.writeFile(output, encodeCrushMap(draft.toMap()));
  } catch (error) {
    const complaint = systemComplaint(error);
    const opened = `bufferlist::write_file(${output}): failed to open file: ${complaint}\n`;
    throw new Ending(`${opened}crushtool: error writing '${output}': ${complaint}\n`);
  }
  if (verbose > 0) io.stdout(`wrote crush map to ${output}\n`);
}
