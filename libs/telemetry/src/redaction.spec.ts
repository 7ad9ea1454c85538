import { afterEach, describe, expect, it } from '@jest/globals';
import { SAMPLED, testTelemetry } from './telemetry.fixture.ts';

let test: ReturnType<typeof testTelemetry>;
afterEach(() => test.telemetry.shutdown());

const PAN = '4111111111111111';
const redact = (text: string) => text.replaceAll(PAN, '[card]');

/** The secret in every place of a span that a text can be in. */
async function leak(): Promise<string> {
  const { inSpan, messaging, recordError } = test.telemetry;
  await inSpan(`charge ${PAN}`, { attributes: { card: PAN, list: [PAN, 'x'], count: 1 } }, async (span) => {
    span.addEvent('tried', { with: PAN });
    span.setAttribute('later', `card ${PAN}`);
    recordError(new Error(`answered ${PAN}`));
    throw new Error(`no such card ${PAN}`);
  }).catch(() => undefined);
  const event = { id: PAN, type: `card.${PAN}.v1`, correlationid: PAN, traceparent: SAMPLED };
  messaging.published({ topic: PAN, key: PAN, event })!.end(new Error(PAN));
  return JSON.stringify(
    test.spans().map(({ name, attributes, events, status }) => ({ name, attributes, events, status })),
  );
}

describe('redact', () => {
  it('goes over names, attributes, events, errors and status of a span', async () => {
    test = testTelemetry({ redact });
    const text = await leak();
    expect(text).not.toContain(PAN);
    expect(text).toContain('no such card [card]');
    expect(test.span('charge [card]').attributes).toMatchObject({ list: ['[card]', 'x'], count: 1 });
  });

  it('is needed: without it the secret is in all of these places', async () => {
    test = testTelemetry();
    expect((await leak()).split(PAN).length).toBeGreaterThan(12);
  });
});
