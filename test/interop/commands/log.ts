import type { Topic } from './topic.ts';

/**
 * The cluster log as commands show it. Which lines stand in it is a matter of time, and `log last` shows one more where the line
 * before them is of the level: compared is what a line is made of.
 */
export const log: Topic = {
  name: 'log',
  steps: [
    'settle',
    'log hello "two words" three',
    { line: 'log last 1', compare: 'code' },
    { line: 'log last 1 -f json', compare: 'shape' },
    { line: 'log last 1 info cluster -f json-pretty', compare: 'shape' },
    'log last 1 error',
    'log last 1 sec -f json',
    'log last 5 debug cephadm',
    { line: 'log last cluster', compare: 'code' },
    { line: 'log last', compare: 'code' },
    { line: 'log last 50 debug * -f json', compare: 'shape' },
    { line: 'log last 5 info audit -f json', compare: 'shape' },
    'log last 0',
    'log last -1',
    'log last 1 foo',
    'log last 1 loud',
    'log',
    'log once more',
  ],
};
