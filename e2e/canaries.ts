import { randomInt } from 'node:crypto';

/**
 * Secrets that are planted, so that one can look for them afterwards. Each is of its own kind and unlike any other text:
 * where it turns up, it has leaked.
 */
export type Canary = {
  /** Where it is planted: the name of a header, a field, a place in a URL. */
  place: string;
  kind: Kind;
  /** What is sent. */
  text: string;
  /** What must not be found: the secret itself, and its encodings. */
  forms: string[];
};

const alphanumeric = (length: number) => {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length }, () => letters[randomInt(letters.length)]).join('');
};
const digits = (length: number) => Array.from({ length }, () => randomInt(10)).join('');
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Prefix and length of seven brands. */
const BRANDS: [string, number][] = [
  ['4', 16],
  ['51', 16],
  ['2221', 16],
  ['37', 15],
  ['6011', 16],
  ['3530', 16],
  ['62', 19],
];

/** A card number of a random brand, whose check digit is right (Luhn). */
function cardNumber([prefix, length] = BRANDS[randomInt(BRANDS.length)]!): string {
  const without = prefix + digits(length - prefix.length - 1);
  const sum = [...without].reverse().reduce((all, digit, i) => {
    const double = Number(digit) * 2;
    return all + (i % 2 ? Number(digit) : double > 9 ? double - 9 : double);
  }, 0);
  return `${without}${(10 - (sum % 10)) % 10}`;
}

const jwt = () =>
  `${base64({ alg: 'RS256', kid: alphanumeric(6) })}.${base64({ sub: alphanumeric(8) })}.${alphanumeric(64)}`;

/** What is sent of a secret, and the secret; each kind says what it is by its form or by a name beside it. */
const KINDS = {
  'card number': () => {
    const pan = cardNumber();
    return [pan, pan];
  },
  'card number in groups': () => {
    const pan = cardNumber(['4', 16]);
    const groups = pan.match(/.{4}/g)!;
    return [groups.join(' '), pan, groups.join(' '), groups.join('+')];
  },
  'card number with hyphens': () => {
    const groups = cardNumber(['51', 16]).match(/.{4}/g)!;
    return [groups.join('-'), groups.join('-')];
  },
  'web token': () => {
    const token = jwt();
    return [token, token];
  },
  password: () => {
    const password = `Pw${alphanumeric(18)}`;
    return [`password=${password}`, password];
  },
  'bearer token': () => {
    const token = alphanumeric(32);
    return [`Bearer ${token}`, token];
  },
  'basic credentials': () => {
    const password = alphanumeric(16);
    const encoded = Buffer.from(`canary:${password}`).toString('base64');
    return [`Basic ${encoded}`, encoded, password];
  },
  'API key': () => {
    const key = `sk_live_${alphanumeric(24)}`;
    return [key, key];
  },
  'card token': () => {
    const token = `tok_${alphanumeric(24)}`;
    return [token, token];
  },
  'access key': () => {
    const key = `AKIA${alphanumeric(16).toUpperCase()}`;
    return [key, key];
  },
  'user info': () => {
    const password = alphanumeric(16);
    return [`https://canary:${password}@shop.example/`, password];
  },
} satisfies Record<string, () => string[]>;

export type Kind = keyof typeof KINDS;
export const kinds = Object.keys(KINDS) as Kind[];

export function canary(place: string, kind: Kind): Canary {
  const [text, ...secrets] = KINDS[kind]();
  const forms = new Set(secrets.flatMap((secret) => [secret!, encodeURIComponent(secret!)]));
  return { place, kind, text: text!, forms: [...forms] };
}

/** Which of the canaries are in a text, and where it came from. */
export function findings(canaries: Canary[], text: string, source: string): string[] {
  return canaries
    .filter(({ forms }) => forms.some((form) => text.includes(form)))
    .map(({ place, kind }) => `${kind} from ${place} in ${source}`);
}
