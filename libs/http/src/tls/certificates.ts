import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { createSecureContext } from 'node:tls';

/** What a process shows of itself and whom it believes, each in PEM. */
export type Pems = {
  /** Its own certificate, then those between it and the authority. */
  cert: string;
  /** The private key of the first of them, without a passphrase. */
  key: string;
  /** The authorities that certificates of others must come from. */
  ca: string;
};

/** One thing that is wrong. Neither text holds anything of a key. */
export type CertificateMistake = { of: keyof Pems; problem: string; fix: string };

/** TLS 1.3 (RFC 8446): no renegotiation, and a client's certificate is never sent in the clear. */
export const MIN_VERSION = 'TLSv1.3';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** All that is wrong with certificates and key, so that they are mended in one round; none when TLS can work with them. */
export function certificateMistakes(pems: Pems, now = new Date()): CertificateMistake[] {
  const [cert, ca] = [chainOf('cert', pems.cert), chainOf('ca', pems.ca)];
  const key = keyOf(pems.key);
  const mistakes = [cert, ca, key].flatMap((read) => ('problem' in read ? [read] : []));
  if ('all' in cert) mistakes.push(...cert.all.flatMap((each) => outOfDate('cert', each, now)));
  if ('all' in ca) {
    // While an authority is replaced, the old one stands beside the new one until it is over.
    const bad = ca.all.flatMap((each) => outOfDate('ca', each, now));
    if (bad.length === ca.all.length) mistakes.push(...bad);
  }
  if ('all' in cert && 'key' in key && !cert.all[0]!.checkPrivateKey(key.key))
    mistakes.push({
      of: 'key',
      problem: 'holds a key that is not the one of the certificate',
      fix: 'the key that the certificate was made for; the certificate comes first in its own file',
    });
  return mistakes.length ? mistakes : refusedByOpenSsl(pems);
}

/** Until when the first certificate is valid. */
export function validTo({ cert }: Pick<Pems, 'cert'>): Date {
  return new Date(new X509Certificate(cert).validTo);
}

/** How much of its lifetime the first certificate still has: 1 when it is new, 0 when it has expired. */
export function remaining({ cert }: Pick<Pems, 'cert'>, now = new Date()): number {
  const [from, to] = [new X509Certificate(cert).validFrom, validTo({ cert })];
  const share = (+to - +now) / (+to - +new Date(from));
  return Math.min(1, Math.max(0, share));
}

type Chain = { all: X509Certificate[] } | CertificateMistake;

function chainOf(of: 'cert' | 'ca', pem: string): Chain {
  const found = pem.match(CERTIFICATE) ?? [];
  const fix = 'a file with certificates in PEM, which begin with -----BEGIN CERTIFICATE-----';
  if (!found.length) return { of, problem: 'holds no certificate', fix };
  try {
    return { all: found.map((each) => new X509Certificate(each)) };
  } catch {
    return { of, problem: 'holds a certificate that cannot be read', fix };
  }
}

function keyOf(pem: string): { key: KeyObject } | CertificateMistake {
  try {
    return { key: createPrivateKey(pem) };
  } catch {
    const problem = pem.includes('ENCRYPTED')
      ? 'holds a key that needs a passphrase'
      : 'holds no private key';
    return { of: 'key', problem, fix: 'a file with a private key in PEM that has no passphrase' };
  }
}

function outOfDate(of: 'cert' | 'ca', certificate: X509Certificate, now: Date): CertificateMistake[] {
  const [from, to] = [certificate.validFrom, certificate.validTo].map((text) => new Date(text));
  const which = `holds a certificate (${certificate.subject.replaceAll('\n', ', ')})`;
  if (now > to!)
    return [{ of, problem: `${which} that expired on ${to!.toISOString()}`, fix: 'one that is valid' }];
  if (now < from!) {
    const fix = 'one that is valid, or set the clock';
    return [{ of, problem: `${which} that is valid from ${from!.toISOString()} on`, fix }];
  }
  return [];
}

/** What remains is for whoever will use it to say: a key that is too short, a curve that it does not know. */
function refusedByOpenSsl(pems: Pems): CertificateMistake[] {
  try {
    createSecureContext({ ...pems, minVersion: MIN_VERSION });
    return [];
  } catch (error) {
    const why = (error as Error).message.split(':').at(-1)!;
    return [{ of: 'cert', problem: `is refused by OpenSSL: ${why}`, fix: 'another certificate and key' }];
  }
}
