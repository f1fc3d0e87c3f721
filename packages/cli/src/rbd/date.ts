import { spawnSync } from 'node:child_process';
import { Refusal } from './refusal.ts';

const EINVAL = 22;

/** Seconds since 1970 of whatever `date -d` takes: `now`, `2 weeks`, `2026-12-24` (include/utime.h, invoke_date). @throws Refusal */
export function readDate(text: string): number {
  const { status, stdout, stderr } = spawnSync('/bin/date', ['-d', text, '+%s'], { encoding: 'utf8' });
  if (status !== 0) throw new Refusal(`${stderr}rbd: error calling /bin/date: (${EINVAL}) Invalid argument`, EINVAL);
  return Number(stdout);
}
