import { money } from './receipt.ts';

export type SalesDay = {
  /** The day in UTC, `2026-11-20`. */
  date: string;
  totals: { currency: string; orders: number; total: number }[];
};

export function reportKey({ date }: Pick<SalesDay, 'date'>): string {
  return `reports/sales/${date}.json`;
}

/** The report as it is stored: `total` to calculate with, `amount` to read. */
export function salesReport({ date, totals }: SalesDay): string {
  const lines = totals.map(({ currency, orders, total }) => ({
    currency,
    orders,
    total,
    amount: money(total, currency),
  }));
  return `${JSON.stringify({ date, totals: lines }, null, 2)}\n`;
}
