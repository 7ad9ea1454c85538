import { createLogger } from '@cairn/logging';
import { describe, expect, it } from '@jest/globals';
import { canary, findings, kinds } from './canaries.ts';

/** The search of canary.e2e.spec.ts, against a log with and without redaction. */
const planted = Array.from({ length: 200 }, (_, i) => canary(`field_${i}`, kinds[i % kinds.length]!));

function logged(options: { redact?: false }): string {
  let text = '';
  const destination = { write: (line: string) => void (text += line) };
  const logger = createLogger({ service: 'canary', destination, ...options });
  for (const { place, text } of planted) logger.info({ event: 'canary', [place]: text }, `with ${text}`);
  return text;
}

describe('the search for 200 canaries', () => {
  it('finds every one of them where nothing is redacted', () => {
    expect(findings(planted, logged({ redact: false }), 'the log')).toHaveLength(200);
  });

  it('finds none where everything is', () => {
    expect(findings(planted, logged({}), 'the log')).toEqual([]);
  });
});
