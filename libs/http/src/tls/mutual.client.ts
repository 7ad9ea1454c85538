import { MIN_VERSION } from './certificates.ts';
import type { Identity } from './identity.file.ts';

/**
 * A `fetch` for the services of the house: it shows our certificate, and speaks with a server only whose own comes from our
 * authority and has the host of the URL as a name. A connection that is open when certificates are renewed stays open.
 */
export function mutualFetch(identity: Identity): typeof fetch {
  let made: Promise<typeof fetch> | undefined;
  return async (input, init) => (await (made ??= fetchOf(identity)))(input, init);
}

/** Loaded when it is needed. Node's own copy of undici can't be given certificates, and takes no agent of another's version. */
async function fetchOf(identity: Identity): Promise<typeof fetch> {
  // Its default: a bundler makes no names of what a CommonJS module exports.
  const { default: undici } = await import('undici');
  // A connector keeps sessions to resume; a new one has none of those that the old certificate began.
  const connectorOf = () => undici.buildConnector({ ...identity.current, minVersion: MIN_VERSION });
  let connect = connectorOf();
  identity.onChange(() => (connect = connectorOf()));
  const dispatcher = new undici.Agent({ connect: (options, callback) => connect(options, callback) });
  const ours = undici.fetch as unknown as typeof fetch;
  return (input, init) => ours(input, { ...init, dispatcher } as RequestInit);
}
