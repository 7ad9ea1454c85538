import type { ServerOptions, Server } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { MIN_VERSION, type Pems } from './certificates.ts';
import type { Identity } from './identity.file.ts';
import { isAllowed, namesOf } from './names.ts';

export type MutualTlsOptions = {
  identity: Identity;
  /**
   * DNS names or URIs, one of which a client's certificate must have as `subjectAltName`. Default: none is asked for, and
   * whoever has a certificate of the authority is served.
   */
  allowedClients?: string[];
  /** Told of each handshake that failed and of each client that is not on the list, once a connection. */
  onRefused?: (refusal: Refusal) => void;
};

export type Refusal = {
  /** A code of Node or OpenSSL, such as `CERT_HAS_EXPIRED`, or `CLIENT_NOT_ALLOWED`. */
  reason: string;
  /** The names of the certificate; none when there was none that could be believed. */
  names: string[];
};

/** A client with a certificate that we believe, and a name that is not on the list. */
export class ClientNotAllowedError extends Error {
  readonly code = 'client_not_allowed';
  readonly kind = 'forbidden';
  constructor() {
    super('The name in the client certificate is not one of those that may call this service.');
  }
}

/** How long a handshake may take, in ms; Node's own 120,000 outlives any shutdown. */
const HANDSHAKE_MS = 10_000;

/** Options of a server that speaks TLS 1.3, and with those only whose certificate comes from the authority. */
export function serverOptions({ identity }: MutualTlsOptions): ServerOptions {
  return {
    ...contextOf(identity.current),
    requestCert: true,
    rejectUnauthorized: true,
    handshakeTimeout: HANDSHAKE_MS,
  };
}

/** What the server asks before it answers a request: whether the connection's client is on the list. */
export type ClientGate = (socket: Socket) => boolean;

/** Keeps the server at the latest certificates, and tells of whom it refuses. */
export function mutualTls(
  server: Server,
  { identity, allowedClients = [], onRefused }: MutualTlsOptions,
): ClientGate {
  // New keys for session tickets come with it: nobody resumes what an authority before vouched for.
  identity.onChange((pems) => server.setSecureContext(contextOf(pems)));
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    // Node only resets a connection whose certificate it doesn't believe; why, the socket knows.
    const reason = (socket.authorizationError as unknown as string | null) ?? error.code;
    // Without one: somebody opened the port and left, as probes of balancers do.
    if (reason && reason !== 'ECONNRESET') onRefused?.({ reason, names: [] });
  });
  const verdicts = new WeakMap<Socket, boolean>();
  return (socket) => {
    const known = verdicts.get(socket);
    if (known !== undefined) return known;
    const names = namesOf((socket as TLSSocket).getPeerX509Certificate()?.subjectAltName);
    const verdict = allowedClients.length === 0 || isAllowed(names, allowedClients);
    verdicts.set(socket, verdict);
    if (!verdict) onRefused?.({ reason: 'CLIENT_NOT_ALLOWED', names });
    return verdict;
  };
}

const contextOf = (pems: Pems) => ({ ...pems, minVersion: MIN_VERSION }) as const;
