/**
 * Card numbers (PAN) in text. Digits alone say little (ids, amounts and times are digits too), so a number counts only
 * when it begins like a card of a known brand, has a length of that brand, and its Luhn check digit is right
 * (ISO/IEC 7812-1).
 */

// In one piece, or in groups as on the card. The groups are of 3 to 7 digits, so that dates and times are none.
const SEPARATOR = String.raw`(?:[ \t._/+\u00a0-]{1,2}|%20)`;
const CANDIDATE = new RegExp(String.raw`(?<!\d)(?:\d{13,19}|\d{3,7}(?:${SEPARATOR}\d{3,7}){2,5})(?!\d)`, 'g');
/** What a text with a card number has for certain; costs less than the search itself. */
export const CARD_NUMBER_SIGN = String.raw`[2-6]\d{12}|[2-6]\d{2,6}${SEPARATOR}\d{3,7}${SEPARATOR}\d{3}`;

const BRANDS = [
  /^4\d{12}(?:\d{3}){0,2}$/, // Visa: 13, 16, 19
  /^5[1-5]\d{14}$/, // Mastercard
  /^2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}$/, // Mastercard, series 2
  /^3[47]\d{13}$/, // American Express
  /^3(?:0[0-59]|[689]\d)\d{11}(?:\d{2,5})?$/, // Diners Club
  /^35(?:2[89]|[3-8]\d)\d{12,15}$/, // JCB
  /^6(?:011|4[4-9]\d|5\d\d)\d{12,15}$/, // Discover
  /^62\d{14,17}$/, // UnionPay
  /^(?:50|5[6-9]|6[37])\d{11,17}$/, // Maestro
  /^220[0-4]\d{12,15}$/, // Mir
];

// Where a run of digits belongs to something longer that is no card.
const HEX_RUN = /[0-9a-f]+/gi;
const HEX_IDS = new Set([16, 24, 32, 40, 64]);
// UUIDs, and traceparents.
const IDS = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}/gi;

/** Replaces every card number in a text. */
export function hideCardNumbers(text: string, replacement: string): string {
  return text.replace(CANDIDATE, (match: string, offset: number) =>
    isCardNumber(match.replaceAll(/%20|\D/g, '')) && !isPartOfAnId(text, offset, match) ? replacement : match,
  );
}

/** Whether these digits are the number of a card. */
export function isCardNumber(digits: string): boolean {
  return luhn(digits) && BRANDS.some((brand) => brand.test(digits));
}

function luhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    sum += i % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2;
  }
  return sum % 10 === 0;
}

/** A trace id, a hash or a UUID may hold digits that pass for a card; so may the decimals of a number. */
function isPartOfAnId(text: string, offset: number, match: string): boolean {
  if (/(?:^|[^\w.])\d{1,9}\.$/.test(text.slice(Math.max(0, offset - 11), offset))) return true;
  const from = Math.max(0, offset - 64);
  const around = text.slice(from, offset + match.length + 64);
  const covers = (found: RegExpExecArray) =>
    from + found.index <= offset && from + found.index + found[0].length >= offset + match.length;
  if ([...around.matchAll(IDS)].some(covers)) return true;
  return [...around.matchAll(HEX_RUN)].some(
    (run) => covers(run) && run[0].length > match.length && HEX_IDS.has(run[0].length),
  );
}
