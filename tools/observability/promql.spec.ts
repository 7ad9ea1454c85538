import { describe, expect, it } from '@jest/globals';
import { merge, readExposition, seriesOf, sumOf } from './exposition.ts';
import { differences, metricsOf } from './metrics-table.ts';
import { mistakesOf } from './promql.ts';

const TEXT = `# HELP requests_seconds Duration of requests
# TYPE requests_seconds histogram
requests_seconds_bucket{route="/a",le="1"} 2
requests_seconds_bucket{route="/a",le="+Inf"} 3
requests_seconds_sum{route="/a"} 4.5
requests_seconds_count{route="/a"} 3
requests_seconds_bucket{route="/b",method="GET",le="+Inf"} 1
requests_seconds_sum{route="/b",method="GET"} 0.5
requests_seconds_count{route="/b",method="GET"} 1
# HELP letters_total Letters
# TYPE letters_total counter
letters_total{said="a \\"quoted\\" word, a \\\\ and a \\n",of="x,y"} 7
# TYPE age_seconds gauge
age_seconds 1.5e-3
`;

describe('what is scraped', () => {
  const families = readExposition(TEXT);

  it('is read by metric, with type and labels', () => {
    expect([...families].map(([name, { type, labels }]) => [name, type, [...labels]])).toEqual([
      ['requests_seconds', 'histogram', ['route', 'method']],
      ['letters_total', 'counter', ['said', 'of']],
      ['age_seconds', 'gauge', []],
    ]);
    expect(families.get('letters_total')!.samples[0]).toEqual({
      name: 'letters_total',
      labels: { said: 'a "quoted" word, a \\ and a \n', of: 'x,y' },
      value: 7,
    });
  });

  it('is summed by labels', () => {
    expect(sumOf(families, 'requests_seconds_count')).toBe(4);
    expect(sumOf(families, 'requests_seconds_count', { route: '/a' })).toBe(3);
    expect(sumOf(families, 'requests_seconds_sum')).toBe(5);
    expect(sumOf(families, 'age_seconds')).toBe(0.0015);
    expect(sumOf(families, 'letters_total', { of: 'z' })).toBe(0);
    expect(sumOf(families, 'nothing')).toBe(0);
  });

  it.each(['a b c', 'a{b} 1', 'a{b="c} 1', '9a 1'])('is refused when it says %s', (line) => {
    expect(() => readExposition(line)).toThrow(line);
  });
});

it('knows that a label which is called like one of the target gets another name', () => {
  const series = seriesOf([{ name: 'runs_total', type: 'counter', labels: ['job'] }]);
  expect(mistakesOf('sum by (exported_job) (runs_total{exported_job="a"})', series)).toEqual([]);
  expect([...series.get('runs_total')!]).toEqual(['exported_job']);
});

describe('the table of metrics', () => {
  const scraped = merge([
    readExposition(TEXT),
    readExposition('# TYPE age_seconds gauge\nage_seconds{of="x"} 1\n'),
  ]);
  const table = `
| metric | type | labels | meaning |
| --- | --- | --- | --- |
| \`requests_seconds\` | histogram | \`route\` \`method\` \`error_type\` | Requests |
| \`letters_total\` | counter | \`said\` \`of\` | Letters |
| \`age_seconds\` | gauge | \`of\` | Age |
| \`faults_total\` | counter, seldom |  | Faults |
`;

  it('is the same as what was scraped, but for what is seldom', () => {
    expect(differences(metricsOf(table), scraped)).toEqual([]);
  });

  it.each([
    [
      'requests_seconds',
      'request_seconds',
      ['requests_seconds is scraped, and not in', 'request_seconds is in the table'],
    ],
    ['counter |', 'gauge |', ['letters_total is a counter, and in the table a gauge']],
    ['`route`', '`path`', ['requests_seconds has the label route']],
    [', seldom', '', ['faults_total is in the table, and was not scraped']],
  ])('is not when %s were %s', (from, to, said) => {
    const found = differences(metricsOf(table.replace(from, to)), scraped);
    expect(found).toEqual(said.map((text) => expect.stringContaining(text)));
  });
});

describe('the check of a query', () => {
  const series = seriesOf(readExposition(TEXT).values());

  it.each([
    'sum by (route, le) (rate(requests_seconds_bucket{service=~"$service", route!=""}[$__rate_interval]))',
    'histogram_quantile(0.99, sum by (le) (rate(requests_seconds_bucket[5m]))) > 1 and on (service) up_to > 0',
    'age_seconds offset 5m or vector(0)',
    'max without (instance) (requests_seconds_sum) / ignoring (route) group_left (said) letters_total',
  ])('has nothing against %s', (expr) => {
    expect(mistakesOf(expr.replace('up_to', 'age_seconds'), series)).toEqual([]);
  });

  it.each([
    ['rate(request_seconds_count[5m])', 'there is no metric request_seconds_count'],
    ['requests_seconds', 'there is no metric requests_seconds'],
    ['age_seconds{rout="/a"}', 'age_seconds has no label rout'],
    ['requests_seconds_count{le="1"}', 'requests_seconds_count has no label le'],
    ['sum by (rout) (requests_seconds_count)', 'no metric of it has the label rout'],
    ['age_seconds / on (route) age_seconds', 'no metric of it has the label route'],
    ['{route="/a"}', 'a selector without the name of a metric'],
    ['vector(1)', 'names no metric'],
    ['sum(age_seconds', 'does not parse'],
    ['rate(age_seconds[5 minutes])', 'does not parse'],
  ])('says of %s: %s', (expr, mistake) => {
    expect(mistakesOf(expr, series).join()).toContain(mistake);
  });
});
