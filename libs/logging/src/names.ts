/**
 * Names of fields whose values are secrets. Compared in lower case without `-`, `_`, `.` and blanks, so `X-Api-Key`,
 * `x_api_key` and `xApiKey` are one name.
 */

/** Hidden wherever they stand in a name: `dbPasswordOld`, `x-api-key-2`. */
const WITHIN = [
  'password',
  'passwd',
  'passphrase',
  'apikey',
  'privatekey',
  'secretkey',
  'accesskey',
  'authorization',
  'cardnumber',
  'cardtoken',
  'securitycode',
];
/** Hidden at the end of a name: `clientSecret`, `refresh_token`, `set-cookie`. Not `tokens`: that is a number of them. */
const AT_END = [
  'secret',
  'secrets',
  'token',
  'cookie',
  'cookies',
  'pwd',
  'cvv',
  'cvc',
  'cvv2',
  'cvc2',
  'jwt',
];
/** Hidden when it is the whole name: `pan`, but not `span`. */
const WHOLE = ['pan', 'pass', 'pin', 'iban', 'auth', 'credentials', 'sessionid', 'signature'];

/** @param more further names, compared as a whole. */
export function createNames(more: readonly string[] = []): (name: string) => boolean {
  const whole = new Set([...WHOLE, ...more.map(normalised)]);
  const pattern = new RegExp(`${WITHIN.join('|')}|(?:${AT_END.join('|')})$`);
  return (name) => {
    const short = normalised(name.slice(0, 200));
    return whole.has(short) || pattern.test(short);
  };
}

const normalised = (name: string) => name.toLowerCase().replaceAll(/[-_.\s]/g, '');
