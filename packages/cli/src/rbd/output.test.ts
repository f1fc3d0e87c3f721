import { expect, test } from 'vitest';
import { formatJson } from './output.ts';

test('numbers are as C writes them', () => {
  const numbers = { whole: 30, half: 28.5, third: 1 / 3, large: 6_932_809.066_666_666, beyond: 2n ** 63n, text: '0.5' };

  expect(formatJson(new Map(), numbers)).toBe(
    '{"whole":30,"half":28.5,"third":0.33333333333333331,"large":6932809.0666666664,"beyond":9223372036854775808,"text":"0.5"}\n',
  );
});
