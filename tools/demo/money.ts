/** An amount of minor units as people write it: 2100 EUR → "€21.00", 5400 JPY → "¥5,400". */
export function money(amount: number, currency: string): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}
