/** Options of the display and test stage. */
import type { ArgumentWords } from './argument-words.ts';
import { floatOf, integer, nextWord, required } from './option-values.ts';
import type { Request, TestRequest } from './request.ts';

export function parseDisplayOption(words: ArgumentWords, request: Request): boolean {
  return (
    parseShown(words, request.tester) ||
    parseDump(words, request) ||
    parseTest(words, request) ||
    parseRange(words, request.tester)
  );
}

function parseShown(words: ArgumentWords, tester: TestRequest): boolean {
  if (words.flag('--show_utilization')) tester.utilization = true;
  else if (words.flag('--show_utilization_all')) tester.utilizationAll = true;
  else if (words.flag('--show_statistics')) tester.statistics = true;
  else if (words.flag('--show_mappings')) tester.mappings = true;
  else if (words.flag('--show_bad_mappings')) tester.badMappings = true;
  else if (words.flag('--show_choose_tries')) tester.chooseTries = true;
  else if (words.flag('--output-csv')) tester.csv = true;
  else if (words.flag('-s', '--simulate')) tester.simulate = true;
  else return false;
  return true;
}

function parseDump(words: ArgumentWords, request: Request): boolean {
  if (words.flag('--tree')) request.tree = true;
  else if (words.flag('--bucket-tree')) request.bucketTree = true;
  else if (words.flag('--dump')) request.dump = true;
  else if (words.flag('-t', '--test')) request.test = true;
  else {
    const bucket = words.text('-b', '--bucket-name');
    if (bucket !== undefined) {
      request.bucketName = bucket;
      return true;
    }
    const format = words.text('-f', '--format');
    if (format === undefined) return false;
    request.format = format;
  }
  return true;
}

function parseTest(words: ArgumentWords, request: Request): boolean {
  const compared = words.text('--compare');
  if (compared !== undefined) {
    request.compare = compared;
    return true;
  }
  // What is wrong with these two numbers is told by whoever asks next.
  const maxId = words.number('int', '--check');
  if (maxId !== undefined) {
    if (maxId !== 'missing') request.checkMaxId = maxId;
    request.check = true;
    return true;
  }
  const location = words.number('int', '--show-location');
  if (location !== undefined) {
    if (location !== 'missing') request.showLocation = location;
    return true;
  }
  const name = words.text('--output-name');
  if (name !== undefined) {
    // 16.2.15 wants another word after the name, which it then leaves alone.
    if (!words.hasMore()) nextWord(words, 'expecting additional argument to --output-name');
    request.tester.outputName = `${name}-`;
    return true;
  }
  return false;
}

function parseRange(words: ArgumentWords, tester: TestRequest): boolean {
  const bounds: readonly (readonly [string, (value: number) => void])[] = [
    ['--num_rep', (value) => (tester.numRep = value)],
    ['--max_x', (value) => (tester.maxX = value)],
    ['--min_x', (value) => (tester.minX = value)],
    ['--x', (value) => (tester.minX = tester.maxX = value)],
    ['--max_rule', (value) => (tester.maxRule = value)],
    ['--min_rule', (value) => (tester.minRule = value)],
    ['--rule', (value) => (tester.minRule = tester.maxRule = value)],
    ['--ruleset', (value) => (tester.ruleset = value)],
    ['--batches', (value) => (tester.batches = value)],
  ];
  for (const [option, set] of bounds) {
    const value = integer(words, option);
    if (value === undefined) continue;
    set(value);
    return true;
  }
  const poolId = required(words, 'long', '--pool_id');
  if (poolId !== undefined) {
    tester.poolId = poolId;
    return true;
  }
  const devices = required(words, 'float', '--mark-down-ratio');
  if (devices !== undefined) {
    tester.downDeviceRatio = devices;
    return true;
  }
  const buckets = required(words, 'float', '--mark-down-bucket-ratio');
  if (buckets !== undefined) {
    tester.downBucketRatio = buckets;
    return true;
  }
  const device = integer(words, '--weight');
  if (device === undefined) return false;
  const weight = floatOf(nextWord(words, 'expecting additional argument to --weight'));
  tester.weights.set(device, Math.min(0x10000, Math.max(0, Math.trunc(Math.fround(weight * 0x10000)))));
  return true;
}
