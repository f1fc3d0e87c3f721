import { expect, test } from 'vitest';
import { parseFaultText } from './fault-text.ts';

const operations = new Set(['GetObject', 'PutObject']);

test.each([
  ['error=503', { error: 503 }],
  [
    ' operation = GetObject|PutObject , prefix=a=b/, probability=0.3, error=429, retryAfter=2',
    { operation: 'GetObject|PutObject', prefix: 'a=b/', probability: 0.3, error: 429, retryAfter: 2 },
  ],
  ['bucket=123,latency=pareto:100:1.5', { bucket: '123', latency: 'pareto:100:1.5' }],
  ['method=put,reset=1000', { method: 'PUT', reset: 1000 }],
  ['reset=after,after=2,count=1', { reset: 'after', after: 2, count: 1 }],
  ['{ "prefix": "a,b", "truncate": 10 }', { prefix: 'a,b', truncate: 10 }],
])('the text %s is a rule', (text, rule) => {
  expect(parseFaultText(text, operations)).toEqual(rule);
});

test.each([
  ['', 'nothing: give field=value, such as error=503'],
  ['error', 'error: give field=value'],
  ['error=503,error=500', 'error is given twice'],
  ['error=404', 'error: give one of 429, 500, 503'],
  ['eror=503', 'eror: there is no such field'],
  ['constructor=1', 'constructor: there is no such field'],
  ['operation=Get,error=503', 'operation: there is no Get. There are GetObject, PutObject'],
  ['method=PATCH,error=503', 'method: give one of'],
  ['bucket=b', 'A rule needs an effect'],
  ['probability=1.5,error=503', 'probability: give a number from 0 to 1'],
  ['probability=often,error=503', 'probability: give a number from 0 to 1'],
  ['count=0,error=503', 'count: give a whole number from 1'],
  ['latency=slow', 'latency: give milliseconds'],
  ['latency=uniform:300:100', 'latency: uniform:LEAST:MOST goes up'],
  ['latency=-1', 'latency: give milliseconds from 0'],
  ['latency=pareto:1:0', 'latency: the shape of pareto'],
  ['reset=0', 'reset: give before, after, or a number of bytes from 1'],
  ['reset=before,error=503', 'error and reset exclude each other'],
  ['retryAfter=2,reset=before', 'retryAfter goes with error'],
  ['from=5,until=5,error=503', 'until must be behind from'],
  ['{ "error": 503', 'This is no JSON'],
  ['{ "bucket": 1, "error": 503 }', 'bucket: give a text'],
  ['{ "error": 503, "count": null }', 'count: give a whole number'],
])('the text %s is refused: %s', (text, problem) => {
  expect(() => parseFaultText(text, operations)).toThrow(problem);
});
