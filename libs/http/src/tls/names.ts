/**
 * The names that a certificate vouches for: DNS names, in lower case, and URIs such as `spiffe://cairn/orders`, out of the text
 * that Node makes of `subjectAltName`. The common name is none (RFC 9525, section 2).
 *
 * Node quotes a name that holds a comma or a quote, since such a name could pass for several (CVE-2021-44532): none of ours does,
 * so it is left out, and a text that can't be taken apart to its end has no names at all.
 */
export function namesOf(subjectAltName = ''): string[] {
  const names: string[] = [];
  let at = 0;
  while (at < subjectAltName.length) {
    ENTRY.lastIndex = at;
    const [whole, kind, name] = ENTRY.exec(subjectAltName) ?? [];
    if (!whole) return [];
    at += whole.length;
    if (name!.startsWith('"')) continue;
    if (kind === 'DNS') names.push(name!.toLowerCase());
    if (kind === 'URI') names.push(name!);
  }
  return names;
}

const ENTRY = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/y;

/** Whether one of the names is on the list. They are compared as a whole: `*.shop` in a certificate is not `orders.shop`. */
export function isAllowed(names: string[], allowed: string[]): boolean {
  const list = new Set(allowed.map((name) => (name.includes('://') ? name : name.toLowerCase())));
  return names.some((name) => list.has(name));
}
