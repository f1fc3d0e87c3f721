/** Whether capabilities for metadata servers are such (mds/MDSAuthCaps.cc): `allow rw path=/a uid=5 gids=5,6`. */
import { CapsScanner, grantList, MalformedCaps } from './caps-scanner.ts';

/** Longest first: of letters the first that match count. */
const PERMISSIONS = ['*', 'all', 'rwfps', 'rwps', 'rwfp', 'rwfs', 'rwp', 'rws', 'rwf', 'rw', 'r'];
const MAX_ID = 0xffff_ffff;
const PATH = /[ \n\t]+path=(?:"[^"]*"|'[^']*'|[a-zA-Z0-9_./-]+)/y;
const FS_NAME = /[ \n\t]+fsname=[a-zA-Z0-9_.-]+/y;
const ROOT_SQUASH = /[ \n\t]+root_squash/y;

/** @throws MalformedCaps where `auth` commands refuse caps. */
export function checkMdsCaps(text: string): void {
  // From before there were permissions.
  if (text === 'allow') return;
  const scanner = new CapsScanner(text);
  // Around the whole Ceph skips all white space.
  scanner.match(/[\t-\r ]+/y);
  const grants = grantList(scanner, grant, / *[;,] */y);
  if (grants !== undefined) scanner.match(/[\t-\r ]+/y);
  if (grants !== undefined && scanner.rest === '') return;
  const problem = `mds capability parse failed, stopped at '${scanner.rest}' of '${text}'`;
  throw new MalformedCaps('mds', scanner.at, problem);
}

function grant(scanner: CapsScanner): true | undefined {
  if (!scanner.literal('allow') || !scanner.spaces()) return undefined;
  if (!PERMISSIONS.some((each) => scanner.literal(each))) return undefined;
  matchScope(scanner);
  scanner.network();
  return true;
}

/** The first of these that matches, or nothing. */
function matchScope(scanner: CapsScanner): void {
  const path = () => scanner.match(PATH) !== undefined;
  const squash = () => scanner.match(ROOT_SQUASH) !== undefined;
  const fileSystem = () => {
    scanner.match(FS_NAME);
    return true;
  };
  const ids = () => matchIds(scanner);
  const alternatives: readonly (readonly (() => boolean)[])[] = [
    [fileSystem, path, squash],
    [ids],
    [path, ids],
    [fileSystem, path],
    [fileSystem, squash],
    [path, squash],
    [path],
    [squash],
    [fileSystem],
  ];
  for (const parts of alternatives) {
    if (scanner.attempt(() => parts.every((part) => part()) || undefined)) return;
  }
}

/** ` uid=1 gids=1,2`. */
function matchIds(scanner: CapsScanner): boolean {
  if (scanner.attempt(() => (scanner.match(/[ \n\t]+uid=/y) ? id(scanner) : undefined)) === undefined) return false;
  scanner.attempt(() => {
    if (scanner.match(/[ \n\t]+gids=/y) === undefined) return undefined;
    return grantList(scanner, id, /,/y);
  });
  return true;
}

function id(scanner: CapsScanner): number | undefined {
  const digits = scanner.match(/\d+/y)?.[0];
  return digits === undefined || Number(digits) > MAX_ID ? undefined : Number(digits);
}
