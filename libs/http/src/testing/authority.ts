import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

/**
 * An authority for tests: Node reads certificates and makes none, and one that is out of date or has a wrong name is not to be
 * had elsewhere. X.509 (RFC 5280) as far as that goes, on P-256.
 */
export class Authority {
  readonly #name: Buffer;
  readonly #keys = newKeys();
  /** Its own certificate, in PEM. */
  readonly cert: string;

  constructor(name = 'Test authority') {
    this.#name = nameOf(name);
    const constraints = extension('2.5.29.19', sequence(BOOLEAN_TRUE), true);
    const usage = extension('2.5.29.15', bits(Buffer.from([0x06]), 1), true);
    this.cert = this.#certificate(this.#name, this.#keys.publicKey, {}, [constraints, usage]);
  }

  /** A certificate of this authority and its key, both in PEM. */
  issue({ names, keys = newKeys(), ...life }: Issue): { cert: string; key: string } {
    const { publicKey, privateKey } = keys;
    const alternatives = extension('2.5.29.17', sequence(...names.map(alternative)));
    return {
      cert: this.#certificate(nameOf(names[0] ?? 'nobody'), publicKey, life, [alternatives]),
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
  }

  #certificate(subject: Buffer, key: KeyObject, { from, to }: Life, extensions: Buffer[]): string {
    const now = Date.now();
    const signed = sequence(
      tagged(0xa0, integer(2)),
      tagged(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
      sequence(oid(ECDSA_SHA256)),
      this.#name,
      sequence(time(from ?? new Date(now - DAY)), time(to ?? new Date(now + DAY))),
      subject,
      key.export({ type: 'spki', format: 'der' }),
      tagged(0xa3, sequence(...extensions, extension('2.5.29.14', octets(idOf(key))))),
    );
    const signature = sign('sha256', signed, this.#keys.privateKey);
    const der = sequence(signed, sequence(oid(ECDSA_SHA256)), bits(signature));
    const lines = der.toString('base64').match(/.{1,64}/g)!;
    return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
  }
}

/** When it is valid. Default: from a day ago for two days. */
type Life = { from?: Date; to?: Date };
export type Issue = Life & {
  /** What it vouches for: DNS names, IPv4 addresses, URIs. */
  names: string[];
  /** Default: new ones, on P-256. */
  keys?: { publicKey: KeyObject; privateKey: KeyObject };
};

const newKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const DAY = 86_400_000;
const ECDSA_SHA256 = '1.2.840.10045.4.3.2';
const BOOLEAN_TRUE = Buffer.of(0x01, 0x01, 0xff);

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...items: Buffer[]) => tagged(0x30, Buffer.concat(items));
const integer = (value: number) => tagged(0x02, Buffer.of(value));
const octets = (content: Buffer) => tagged(0x04, content);
const bits = (content: Buffer, unused = 0) => tagged(0x03, Buffer.concat([Buffer.of(unused), content]));
const text = (value: string) => tagged(0x0c, Buffer.from(value));
const idOf = (key: KeyObject) =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 20);

function oid(dotted: string): Buffer {
  const [first, second, ...rest] = dotted.split('.').map(Number);
  const sevens = (value: number): number[] =>
    value < 0x80 ? [value] : [...sevens(value >> 7).map((byte) => byte | 0x80), value & 0x7f];
  return tagged(0x06, Buffer.from([first! * 40 + second!, ...rest.flatMap(sevens)]));
}

/** GeneralizedTime, seconds in UTC. */
const time = (at: Date) => tagged(0x18, Buffer.from(`${at.toISOString().replaceAll(/[-:T]|\..*/g, '')}Z`));
const nameOf = (name: string) => sequence(tagged(0x31, sequence(oid('2.5.4.3'), text(name))));
const extension = (id: string, content: Buffer, isCritical = false) =>
  sequence(oid(id), ...(isCritical ? [BOOLEAN_TRUE] : []), octets(content));

function alternative(name: string): Buffer {
  if (name.includes('://')) return tagged(0x86, Buffer.from(name));
  return /^\d+(\.\d+){3}$/.test(name)
    ? tagged(0x87, Buffer.from(name.split('.').map(Number)))
    : tagged(0x82, Buffer.from(name));
}
