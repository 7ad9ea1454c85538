import { z } from 'zod';
import type { DraftInput } from './shop.client.ts';

/** One line of an orders file. What the shop itself checks (currency, quantities) is left to the shop. */
const schema = z.strictObject({
  customer: z.string().min(1),
  cardToken: z.string(),
  /** Cancel the order once it is paid. */
  cancel: z.boolean().default(false),
  email: z.string(),
  currency: z.string(),
  lines: z.array(
    z.strictObject({ sku: z.string(), name: z.string(), quantity: z.number(), unitPrice: z.number() }),
  ),
});

export type OrderLine = {
  number: number;
  customer: string;
  cardToken: string;
  cancel: boolean;
  draft: DraftInput;
};
export type Malformed = { number: number; reason: string };

/** Reads a file of JSON lines; a malformed line is reported with its number and does not stop the others. */
export function parseLines(text: string): (OrderLine | Malformed)[] {
  return text
    .split('\n')
    .map((line, i) => ({ line: line.trim(), number: i + 1 }))
    .filter(({ line }) => line !== '')
    .map(({ line, number }) => parseLine(line, number));
}

function parseLine(line: string, number: number): OrderLine | Malformed {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return { number, reason: `not JSON: ${(error as Error).message}` };
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const reason = parsed.error.issues
      .map((issue) => `${issue.path.join('.') || 'line'}: ${issue.message}`)
      .join('; ');
    return { number, reason };
  }
  const { customer, cardToken, cancel, ...draft } = parsed.data;
  return { number, customer, cardToken, cancel, draft };
}
