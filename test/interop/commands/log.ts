import type { Topic } from './topic.ts';

/** The cluster log as commands show it. */
export const log: Topic = {
  name: 'log',
  steps: [
    'settle',
    'log hello "two words" three',
    'log last 1',
    'log last 1 -f json',
    'log last 1 -f json-pretty',
    'log last 1 info cluster',
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
    'log last 1',
  ],
};
