import { CertificateError, Identity, type MutualTlsOptions } from '@cairn/http/tls';
import type { Logger } from '@cairn/logging';
import type { Telemetry } from '@cairn/telemetry';

/** The variables of `tls` of @cairn/config; a process that serves nobody has none of them. */
export type TlsVariables = {
  TLS_CERT_PATH: string;
  TLS_KEY_PATH: string;
  TLS_CA_PATH: string;
  TLS_ALLOWED_CLIENTS: string[];
};

/** The certificates of the process, or undefined when it is to speak plain HTTP. Nothing is watched yet. */
export function identityOf(config: Partial<TlsVariables>, logger: Logger): Identity | undefined {
  const { TLS_CERT_PATH: certPath, TLS_KEY_PATH: keyPath, TLS_CA_PATH: caPath } = config;
  if (!certPath || !keyPath || !caPath) return undefined;
  return new Identity(
    { certPath, keyPath, caPath },
    {
      onRenewed: ({ validTo }) => logger.info({ event: 'tls_renewed', valid_to: validTo }),
      onRefused: ({ mistakes, message }: CertificateError) =>
        logger.error({ event: 'tls_renewal_refused', problems: mistakes }, message),
    },
  );
}

/** Looks for renewed certificates from now on, and measures for how long these are valid. @returns ends it */
export function watchIdentity({ identity, logger, telemetry }: Watching): () => void {
  if (!identity) return () => {};
  logger.info({ event: 'tls_ready', valid_to: identity.validTo });
  telemetry.gauge('tls.certificate.remaining', {
    unit: '1',
    description: 'Share of its lifetime that the certificate of the process still has',
    read: () => identity.remaining(),
  });
  return identity.watch();
}

type Watching = { identity: Identity | undefined; logger: Logger; telemetry: Telemetry };

/** For `createHttpApp`. */
export function serverTls(
  { identity, logger }: Pick<Watching, 'identity' | 'logger'>,
  { TLS_ALLOWED_CLIENTS: allowedClients = [] }: Partial<TlsVariables>,
): MutualTlsOptions | undefined {
  if (!identity) return undefined;
  const onRefused: MutualTlsOptions['onRefused'] = (refusal) =>
    logger.warn({ event: 'tls_client_refused', ...refusal });
  return { identity, allowedClients, onRefused };
}
