import { describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { Authority } from '../testing/index.ts';
import { certificateMistakes, remaining, validTo } from './certificates.ts';

/** Real: X.509 and keys. The time is an argument. */
const authority = new Authority('Ours');
const from = new Date('2026-03-01T00:00:00Z');
const to = new Date('2026-04-01T00:00:00Z');
const now = new Date('2026-03-15T00:00:00Z');
const NOT_ONE = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----';
const day = (date: string) => ({ from: new Date(`${date}T00:00:00Z`), to });
const issued = authority.issue({ names: ['orders'], from, to });
const ca = authority.cert;

describe('certificates and key that TLS is to work with', () => {
  it('are right when they belong together, whatever comes after the first certificate', () => {
    const own = authority.issue({ names: ['orders'] });
    expect(certificateMistakes({ ...own, ca })).toEqual([]);
    expect(certificateMistakes({ ...own, cert: `${own.cert}${new Authority().cert}`, ca })).toEqual([]);
    expect(certificateMistakes({ ...own, ca: `# two of them\n${ca}${new Authority().cert}` })).toEqual([]);
  });

  it('say until when they are valid, and how much of their time is left', () => {
    expect(validTo(issued)).toEqual(to);
    const left = [from, new Date(+to - (+to - +from) / 4), to, new Date(+to + 1), new Date(0)];
    expect(left.map((at) => remaining(issued, at))).toEqual([1, 0.25, 0, 0, 1]);
  });

  it.each([
    ['cert', 'a word', 'hello', 'holds no certificate'],
    ['cert', 'a key', issued.key, 'holds no certificate'],
    ['cert', 'what looks like one', NOT_ONE, 'holds a certificate that cannot be read'],
    ['ca', 'nothing', '', 'holds no certificate'],
    ['key', 'nothing', '', 'holds no private key'],
    ['key', 'a certificate', issued.cert, 'holds no private key'],
    ['key', "another's key", issued.key, 'holds a key that is not the one of the certificate'],
    ['key', 'a locked key', lockedKey(), 'holds a key that needs a passphrase'],
  ] as const)('are refused when the file of the %s holds %s', (of, _, pem, problem) => {
    const own = authority.issue({ names: ['orders'] });
    const found = certificateMistakes({ ...own, ca, [of]: pem });
    expect(found).toMatchObject([{ of, problem }]);
    expect(JSON.stringify(found)).not.toContain('PRIVATE');
  });

  it.each([
    ['a day before it is valid', day('2026-03-16'), 'is valid from 2026-03-16T00:00:00.000Z on'],
    ['a second after it has expired', { from, to: new Date(+now - 1000) }, 'expired on 2026-03-14T23:59:59'],
  ])('are refused %s', (_, life, problem) => {
    const own = authority.issue({ names: ['orders'], ...life });
    const all = certificateMistakes({ ...own, ca }, now);
    expect(all.filter(({ of }) => of === 'cert')).toMatchObject([
      { problem: expect.stringContaining(problem) },
    ]);
    expect(all.find(({ of }) => of === 'cert')!.problem).toContain('(CN=orders)');
  });

  it('are refused when a certificate between them and the authority has expired', () => {
    const own = authority.issue({ names: ['orders'] });
    const between = authority.issue({ names: ['between'], from, to: new Date(+from + 1000) });
    const found = certificateMistakes({ ...own, cert: own.cert + between.cert, ca });
    expect(found).toMatchObject([{ of: 'cert', problem: expect.stringContaining('CN=between') }]);
  });

  it('need one authority that is valid: the old one may stand beside it until it is over', () => {
    const own = authority.issue({ names: ['orders'] });
    const old = authority.issue({ names: ['old'], from, to: new Date(+from + 1000) }).cert;
    expect(certificateMistakes({ ...own, ca: old + ca })).toEqual([]);
    expect(certificateMistakes({ ...own, ca: old })).toMatchObject([{ of: 'ca' }]);
  });

  it('are all told at once', () => {
    expect(certificateMistakes({ cert: '', key: '', ca: '' }).map(({ of }) => of)).toEqual([
      'cert',
      'ca',
      'key',
    ]);
  });

  it('are refused when OpenSSL knows better', () => {
    const keys = generateKeyPairSync('rsa', { modulusLength: 512 });
    const short = authority.issue({ names: ['orders'], keys });
    expect(certificateMistakes({ ...short, ca })).toMatchObject([
      { of: 'cert', problem: 'is refused by OpenSSL: ee key too small' },
    ]);
  });
});

function lockedKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const locked = { cipher: 'aes-256-cbc', passphrase: 'x' };
  return privateKey.export({ type: 'pkcs8', format: 'pem', ...locked }).toString();
}
