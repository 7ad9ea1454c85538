import { count, pipeline, type Pipeline } from '@cairn/resilience';
import { inSpan } from '@cairn/telemetry';
import { createTransport } from 'nodemailer';
import type { Config } from './config.ts';
import type { Letter, Outcome } from './notification.ts';

export type Mail = Pick<Letter, 'subject' | 'text'> & {
  to: string;
  html?: string;
  messageId: string;
  correlationId?: string;
};

type Settings = Pick<Config, Extract<keyof Config, `SMTP_${string}`> | 'MAIL_FROM'>;

/** The mail server could not be asked, or asked us to come back later: the mail may or may not have been taken. */
export class MailUnavailableError extends Error {
  readonly code = 'mail_unavailable';
  readonly transient = true;
}

/**
 * Sends e-mails over SMTP, behind breaker, bulkhead and timeout. No retry: a mail whose answer got lost may have been
 * taken. The consumer sends it again, under its lease, and can wait for as long as it takes.
 */
export class MailSender {
  readonly policies: Pipeline;
  readonly #transport;

  constructor(settings: Settings) {
    const { SMTP_URL, SMTP_TIMEOUT_MS, MAIL_FROM } = settings;
    this.#transport = createTransport(
      {
        url: SMTP_URL,
        // A connection per mail costs 150 ms each.
        pool: true,
        maxConnections: settings.SMTP_MAX_CONCURRENT,
        // Once, for a pooled connection that the server has dropped in the meantime.
        maxRequeues: 1,
        connectionTimeout: SMTP_TIMEOUT_MS,
        greetingTimeout: SMTP_TIMEOUT_MS,
        socketTimeout: SMTP_TIMEOUT_MS,
        // Letters are text from outside: none of it may name a file or a URL to be read.
        disableFileAccess: true,
        disableUrlAccess: true,
      },
      { from: MAIL_FROM },
    );
    // Whatever is thrown below is about the server: a mail that it refuses is an outcome.
    this.policies = pipeline('smtp')
      .breaker({
        window: count(settings.SMTP_BREAKER_WINDOW_CALLS),
        failureRate: settings.SMTP_BREAKER_FAILURE_PERCENT / 100,
        minCalls: settings.SMTP_BREAKER_MIN_CALLS,
        openFor: settings.SMTP_BREAKER_OPEN_MS,
        halfOpen: {
          calls: settings.SMTP_BREAKER_PROBES,
          successes: settings.SMTP_BREAKER_SUCCESSES,
        },
      })
      .bulkhead({ max: settings.SMTP_MAX_CONCURRENT, queue: settings.SMTP_MAX_QUEUED })
      .timeout(SMTP_TIMEOUT_MS);
  }

  /**
   * Resolves when the server has taken the mail, or has refused it for good.
   * @throws with `transient: true` when it is worth sending again, under the same Message-ID.
   */
  send({ to, correlationId, ...mail }: Mail): Promise<Outcome> {
    return this.policies.execute(async ({ signal }) => {
      const headers = correlationId ? { 'X-Correlation-ID': correlationId } : {};
      try {
        const letter = { ...mail, to: { name: '', address: to }, headers, signal };
        await inSpan('smtp send', { kind: 'client' }, () => this.#transport.sendMail(letter));
        return { delivered: true };
      } catch (error) {
        const reason = refusalOf(error);
        if (reason) return { delivered: false, reason };
        throw new MailUnavailableError(`the mail was not sent: ${(error as Error).message}`, {
          cause: error,
        });
      }
    });
  }

  /** Rejects when the mail server does not answer. */
  async ping(): Promise<void> {
    await this.#transport.verify();
  }

  close(): void {
    this.#transport.close();
  }
}

/**
 * Why this very mail will never be taken: the server refused its recipient or its content (5yz, RFC 5321, 4.2.1), or
 * there is no such address. A refused sender or a refused login is our configuration, and waits until that is mended.
 */
function refusalOf(error: unknown): string | undefined {
  const { code, command, responseCode, message } = error as Error & Record<string, unknown>;
  const permanent = typeof responseCode === 'number' && responseCode >= 500 && responseCode !== 503;
  const unusable = code === 'EENVELOPE' && command === 'API';
  const aboutTheMail = (code === 'EENVELOPE' && command === 'RCPT TO') || code === 'EMESSAGE';
  return unusable || (permanent && aboutTheMail) ? message : undefined;
}
