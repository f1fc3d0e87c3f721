import type { Topic } from './topic.ts';

export const basics: Topic = {
  name: 'basics',
  steps: [
    'settle',
    'fsid',
    'health',
    'health detail -f json',
    'osd stat',
    'osd stat -f json',
    'osd ls',
    'osd ls -f json',
    'osd tree',
    'osd tree -f json',
    'osd pool ls',
    'osd pool ls -f json',
    'osd lspools',
    { line: 'status -f json', compare: 'shape' },
    { line: 'osd dump -f json', compare: 'shape' },
    { line: 'df -f json', compare: 'shape' },
    { line: 'quorum_status -f json', compare: 'shape' },
    'no such command',
    'osd pool get',
    'osd pool get nosuchpool size',
  ],
  known: [
    { lines: ['osd dump -f json'], reason: 'there are no erasure-coded pools, and so no profiles of them' },
    { lines: ['status -f json'], reason: 'the manager has none of the modules of Ceph' },
  ],
};
