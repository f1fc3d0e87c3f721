/** Reads a command line of crushtool (main in tools/crushtool.cc). */
import type { CrushTunables } from '@spirula/crush';
import { ArgumentWords } from './argument-words.ts';
import { FEW, floatOf, integer, nextWord } from './option-values.ts';
import { parseDisplayOption } from './parse-display.ts';
import { emptyRequest, type Layer, type Request } from './request.ts';
import { type CrushToolIo, Ending } from './tool-io.ts';
import { OUTPUT_HELP } from './usage.ts';

export function parseArguments(argv: readonly string[], io: CrushToolIo): Request | 'help-output' {
  const words = new ArgumentWords(argv);
  const request = emptyRequest();
  while (words.hasMore() && !words.endOfOptions()) {
    if (words.flag('--help-output')) {
      io.stdout(OUTPUT_HELP);
      return 'help-output';
    }
    const known =
      parseInputOption(words, request) ||
      parseTunable(words, request) ||
      parseItemOption(words, request) ||
      parseRuleOption(words, request, io) ||
      parseClassOption(words, request) ||
      parseDisplayOption(words, request);
    if (!known) words.pass();
  }
  checkRequest(request, words.rest, io);
  return request;
}

function parseInputOption(words: ArgumentWords, request: Request): boolean {
  const decompiled = words.text('-d', '--decompile');
  if (decompiled !== undefined) {
    request.input = decompiled;
    request.decompile = true;
    return true;
  }
  const input = words.text('-i', '--infn');
  if (input !== undefined) {
    request.input = input;
    return true;
  }
  const output = words.text('-o', '--outfn');
  if (output !== undefined) {
    request.output = output;
    return true;
  }
  const source = words.text('-c', '--compile');
  if (source !== undefined) {
    request.source = source;
    return true;
  }
  const numOsds = integer(words, '--num_osds');
  if (numOsds !== undefined) {
    request.numOsds = numOsds;
    return true;
  }
  if (words.flag('-v', '--verbose')) request.verbose += 1;
  else if (words.flag('--build')) request.build = true;
  // All tunables have long been safe.
  else if (!words.flag('--enable-unsafe-tunables')) return false;
  return true;
}

const TUNABLES: readonly (readonly [string, keyof CrushTunables])[] = [
  ['--set_choose_local_tries', 'chooseLocalTries'],
  ['--set_choose_local_fallback_tries', 'chooseLocalFallbackTries'],
  ['--set_choose_total_tries', 'chooseTotalTries'],
  ['--set_chooseleaf_descend_once', 'chooseleafDescendOnce'],
  ['--set_chooseleaf_vary_r', 'chooseleafVaryR'],
  ['--set_chooseleaf_stable', 'chooseleafStable'],
  ['--set_straw_calc_version', 'strawCalcVersion'],
  ['--set_allowed_bucket_algs', 'allowedBucketAlgs'],
];

function parseTunable(words: ArgumentWords, request: Request): boolean {
  for (const [option, tunable] of TUNABLES) {
    const value = words.number('int', option);
    if (value === undefined) continue;
    request.adjusts = true;
    if (value !== 'missing') request.tunables[tunable] = value;
    return true;
  }
  return false;
}

function parseItemOption(words: ArgumentWords, request: Request): boolean {
  for (const [option, update] of [
    ['--add_item', false],
    ['--update_item', true],
  ] as const) {
    const id = integer(words, option);
    if (id === undefined) continue;
    const complaint = `${FEW} to ${option.replace('_', '-')}`;
    const weight = floatOf(nextWord(words, complaint));
    const name = nextWord(words, complaint);
    // An --update-item makes the --add-item after it one, too.
    request.newItem = { id, weight, name, update: update || (request.newItem?.update ?? false) };
    return true;
  }
  if (words.flag('--add-bucket')) {
    const complaint = `${FEW} to --add-bucket`;
    request.newBucket = { name: nextWord(words, complaint), type: nextWord(words, complaint) };
    return true;
  }
  if (words.flag('--move')) {
    request.move = nextWord(words, `${FEW} to --move`);
    return true;
  }
  const place = words.text('--loc');
  if (place !== undefined) {
    request.location = new Map([...request.location, [place, nextWord(words, `${FEW} to --loc`)]]);
    return true;
  }
  const removed = words.text('--remove_item');
  if (removed !== undefined) {
    request.removeItem = removed;
    return true;
  }
  const reweighted = words.text('--reweight_item');
  if (reweighted === undefined) return false;
  request.reweightItem = { name: reweighted, weight: floatOf(nextWord(words, `${FEW} to --reweight-item`)) };
  return true;
}

function parseRuleOption(words: ArgumentWords, request: Request, io: CrushToolIo): boolean {
  for (const option of ['--create-simple-rule', '--create-replicated-rule']) {
    const name = words.notedText(option);
    if (name === undefined) continue;
    words.refuseComplaints();
    const simple = option === '--create-simple-rule';
    const complaint = `${FEW} to ${option}`;
    const root = nextWord(words, complaint);
    const type = nextWord(words, complaint);
    const mode = simple ? nextWord(words, complaint) : 'firstn';
    io.stdout(`${option}: name=${name} root=${root} type=${type}${simple ? ` mode=${mode}` : ''}\n`);
    request.ruleName = name;
    request.newRule = { name, root, type, mode };
    return true;
  }
  const className = words.text('--device-class');
  if (className !== undefined) {
    words.refuseComplaints();
    request.deviceClass = className;
    return true;
  }
  const removed = words.text('--remove-rule');
  if (removed === undefined) return false;
  words.refuseComplaints();
  request.ruleName = removed;
  request.removeRule = true;
  return true;
}

function parseClassOption(words: ArgumentWords, request: Request): boolean {
  if (words.flag('--reweight')) request.reweight = true;
  else if (words.flag('--rebuild-class-roots')) request.rebuildClassRoots = true;
  else if (words.flag('--reclassify')) request.reclassify = true;
  else {
    const bucket = words.text('--reclassify-bucket');
    if (bucket !== undefined) {
      request.reclassifyBuckets.set(bucket, { className: nextWord(words), parent: nextWord(words) });
      return true;
    }
    const root = words.text('--reclassify-root');
    if (root !== undefined) {
      request.reclassifyRoots.set(root, nextWord(words));
      return true;
    }
    const subtree = words.text('--set-subtree-class');
    if (subtree === undefined) return false;
    request.subtreeClasses.set(subtree, nextWord(words));
  }
  return true;
}

/** Refuses what asks for nothing, for too much, or for what there is not. */
function checkRequest(request: Request, rest: readonly string[], io: CrushToolIo): void {
  const { check, test, tester, compare, decompile, source, build } = request;
  const shows =
    tester.utilization ||
    tester.utilizationAll ||
    tester.statistics ||
    tester.mappings ||
    tester.badMappings ||
    tester.chooseTries;
  if (test && !check && !shows && !tester.csv && compare === '') {
    io.stderr('WARNING: no output selected; use --output-csv or --show-X\n');
  }
  if (Number(decompile) + Number(source !== undefined) + Number(build) > 1) {
    throw new Ending('cannot specify more than one of compile, decompile, and build\n');
  }
  if (!hasAction(request)) throw new Ending('no action specified; -h for help\n');
  if (!build) {
    if (rest.length > 0) throw new Ending(`unrecognized arguments: [${rest.join(',')}]\n`);
    return;
  }
  request.layers = parseLayers(rest);
}

function hasAction(request: Request): boolean {
  return (
    request.check ||
    request.source !== undefined ||
    request.decompile ||
    request.build ||
    request.test ||
    request.reweight ||
    request.adjusts ||
    request.tree ||
    request.dump ||
    (request.newItem?.id ?? -1) >= 0 ||
    request.newBucket !== undefined ||
    request.move !== undefined ||
    request.newRule !== undefined ||
    request.removeRule ||
    request.showLocation >= 0 ||
    request.bucketTree ||
    request.reclassify ||
    request.rebuildClassRoots ||
    request.compare !== '' ||
    request.removeItem !== '' ||
    (request.reweightItem?.name ?? '') !== ''
  );
}

function parseLayers(words: readonly string[]): Layer[] {
  if (words.length % 3 !== 0) {
    throw new Ending(
      `remaining args: [${words.join(',')}]\nlayers must be specified with 3-tuples of (name, buckettype, size)\n`,
    );
  }
  return Array.from({ length: words.length / 3 }, (_, i) => ({
    name: words[3 * i]!,
    alg: words[3 * i + 1]!,
    // As C's atoi.
    size: Number.parseInt(words[3 * i + 2]!, 10) || 0,
  }));
}
