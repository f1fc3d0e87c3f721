/** `spirula whatif`: what moves, and where to, if a cluster is changed. */
import { readFileSync } from 'node:fs';
import { UserError } from '../cluster/user-error.ts';
import { readOsdMap } from './explain.ts';
import { readPgBytes } from './pg-dump.ts';
import { answerTo } from './whatif-answer.ts';
import { whatIfDocument } from './whatif-document.ts';
import { whatIfText } from './whatif-text.ts';

export interface WhatIfOptions {
  readonly osdmap: string;
  readonly pgDump?: string;
  readonly change: readonly string[];
  readonly plan?: string;
  readonly format: 'text' | 'json';
}

/** @throws UserError */
export function whatIf(options: WhatIfOptions): void {
  const map = readOsdMap(options.osdmap);
  const bytesOf = options.pgDump === undefined ? undefined : readPgBytes(options.pgDump);
  const changes = [...(options.plan === undefined ? [] : readPlan(options.plan)), ...options.change];
  if (changes.length === 0) throw new UserError('Say what changes: --change "out osd.3", or --plan FILE.');
  const answer = answerTo(map, changes, bytesOf);
  process.stdout.write(
    options.format === 'json' ? `${JSON.stringify(whatIfDocument(answer), undefined, 2)}\n` : whatIfText(answer),
  );
}

/** A change a line; what follows a # is for people. */
function readPlan(path: string): string[] {
  try {
    const lines = readFileSync(path, 'utf8').split('\n');
    return lines.map((line) => line.replace(/#.*/, '').trim()).filter((line) => line !== '');
  } catch (error) {
    throw new UserError(`${path} cannot be read: ${(error as Error).message}`);
  }
}
