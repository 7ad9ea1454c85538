import 'reflect-metadata';
import { afterEach, describe, expect, it } from '@jest/globals';
import https from 'node:https';
import {
  afterwards,
  ask,
  CLIENT,
  clientOf,
  endAll,
  EXPIRED,
  filesOf,
  HOST,
  ours,
  problemAt,
  resume,
  serve,
  SERVER,
  shown,
  theirs,
  until,
} from './mutual.fixture.ts';
import { CertificateError, Identity } from './index.ts';

afterEach(endAll);

describe('certificates that are renewed while the server runs', () => {
  it('are shown to new connections, while old ones go on', async () => {
    const { port, files } = await serve({ pollMs: 5 });
    const agent = new https.Agent({ keepAlive: true, ...shown() });
    afterwards(() => agent.destroy());
    const kept = { host: HOST, port, path: '/nowhere', agent };
    await problemAt(kept);
    files.renew(theirs, SERVER);
    const theirsShown = { ...theirs.issue(CLIENT), ca: theirs.cert };
    expect(
      await until(
        () => ask(port, theirsShown),
        (seen) => seen === 200,
      ),
    ).toBe(200);
    // The old authority is believed no more, on new connections.
    expect(await ask(port, { ...shown(), ca: theirs.cert })).toBe('ECONNRESET');
    expect(await problemAt(kept)).toMatchObject({ body: { status: 404 } });
  });

  it('are shown by a client on its next connection', async () => {
    const { port } = await serve({ allowedClients: ['new.shop'] });
    const { files, fetch, identity } = clientOf({ pollMs: 5 });
    const status = async () => {
      const reply = await fetch(`https://${HOST}:${port}/ok`, { headers: { connection: 'close' } });
      await reply.text();
      return reply.status;
    };
    expect(await status()).toBe(403);
    const renewed = new Promise((resolve) => identity.onChange(resolve));
    files.renew(ours, { names: ['new.shop'] });
    await renewed;
    expect(await status()).toBe(200);
  });

  it('end the sessions that began under the ones before', async () => {
    const { port, files } = await serve({ pollMs: 5, allowedClients: CLIENT.names });
    const first = await resume(port, shown());
    // What a session is for: the client shows no certificate again, and is known all the same.
    expect(await resume(port, { ca: ours.cert, session: first.session })).toMatchObject({
      seen: 200,
      isReused: true,
    });
    files.renew(theirs, SERVER);
    const theirsShown = { ...theirs.issue(CLIENT), ca: theirs.cert };
    await until(
      () => ask(port, theirsShown),
      (seen) => seen === 200,
    );
    const late = await resume(port, { ...shown(), ca: theirs.cert, session: first.session });
    expect(late).toMatchObject({ seen: 'ECONNRESET', isReused: false });
  });

  it('stay as they were when new ones are wrong, which is told once', async () => {
    const files = filesOf(SERVER);
    const refused: CertificateError[] = [];
    const before = files.env;
    const identity = new Identity(files, { pollMs: 1, onRefused: (error) => refused.push(error) });
    afterwards(identity.watch());
    const { cert } = identity.current;
    files.write({ key: theirs.issue(SERVER).key });
    await until(
      () => refused.length,
      (count) => count > 0,
    );
    files.write({ ca: 'none' });
    await until(
      () => refused.length,
      (count) => count > 1,
    );
    expect(identity.current.cert).toBe(cert);
    expect(refused.map(({ message }) => message)).toEqual([
      `${before.TLS_KEY_PATH} holds a key that is not the one of the certificate: use the key that the certificate was made for; the certificate comes first in its own file`,
      expect.stringContaining(`${before.TLS_CA_PATH} holds no certificate`),
    ]);
    const renewed = new Promise((resolve) => identity.onChange(resolve));
    files.renew(ours, SERVER);
    await renewed;
    expect(identity.current.cert).not.toBe(cert);
  });
});

describe('an identity', () => {
  it('is not made of certificates that are wrong, or of files that are not there', () => {
    expect(() => new Identity(filesOf({ ...SERVER, ...EXPIRED }))).toThrow(CertificateError);
    expect(() => new Identity({ ...filesOf(SERVER), caPath: '/nowhere' })).toThrow('ENOENT');
  });
});
