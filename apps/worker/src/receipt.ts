/** What stands on a receipt. No framework, no I/O: the same order gives the same receipt, word for word. */
export type Line = { name: string; quantity: number; unitPrice: number };

export type PaidOrder = {
  orderId: string;
  customerId: string;
  email: string;
  /** ISO 4217. Amounts are whole numbers of this currency's minor unit. */
  currency: string;
  total: number;
  lines: Line[];
  /** ISO 8601. */
  paidAt: string;
};

/** Ready to be printed: nothing is left to decide or to format. */
export type Receipt = {
  orderId: string;
  /** ISO 8601; also the document's date of creation, so that a second rendering gives the same bytes. */
  paidAt: string;
  date: string;
  lines: { name: string; quantity: string; unitPrice: string; amount: string }[];
  total: string;
};

export function receiptOf({ orderId, currency, total, lines, paidAt }: PaidOrder): Receipt {
  return {
    orderId,
    paidAt,
    date: `${dayOf(paidAt)} (UTC)`,
    lines: lines.map(({ name, quantity, unitPrice }) => ({
      name: printable(name),
      quantity: String(quantity),
      unitPrice: money(unitPrice, currency),
      amount: money(quantity * unitPrice, currency),
    })),
    total: money(total, currency),
  };
}

/** One order, one key, whoever renders it and however often. The day keeps a listing of the bucket usable. */
export function receiptKey({ orderId, paidAt }: Pick<PaidOrder, 'orderId' | 'paidAt'>): string {
  return `receipts/${dayOf(paidAt).replaceAll('-', '/')}/${orderId}.pdf`;
}

/** `EUR 21.00`, `JPY 5,400`, `KWD 1.234`: the code, because a PDF's own fonts lack most currency signs. */
export function money(amount: number, currency: string): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency, currencyDisplay: 'code' });
  const { maximumFractionDigits: digits } = format.resolvedOptions();
  // As a decimal text it stays exact; divided it would be rounded to a double.
  return format.format(`${amount}E-${digits}` as `${number}`).replace('\u00a0', ' ');
}

function dayOf(time: string): string {
  return new Date(time).toISOString().slice(0, 10);
}

// What the fonts that every PDF reader brings can show: Windows-1252.
const UNPRINTABLE = /[^\x20-\x7e\xa0-\xff€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]/gu;

/** A letter that the font lacks is shown as "?", since pdfkit would print other letters in its place, unmarked. */
function printable(text: string): string {
  return text
    .normalize('NFC')
    .replace(/\p{Cc}+/gu, ' ')
    .replace(UNPRINTABLE, '?');
}
