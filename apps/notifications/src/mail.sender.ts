import { circuitBreaker, timeout, type Call } from '@cairn/resilience';
import { createTransport } from 'nodemailer';
import type { Config } from './config.ts';
import type { Letter, Outcome } from './notification.ts';

export type Mail = Pick<Letter, 'subject' | 'text' | 'html'> & {
  to: string;
  messageId: string;
  correlationId?: string;
};

/** The mail server could not be asked, or asked us to come back later: the mail may or may not have been taken. */
export class MailUnavailableError extends Error {
  readonly code = 'mail_unavailable';
  readonly transient = true;
}

/** Sends e-mails over SMTP, behind time-out and breaker. The consumer retries: it can wait for as long as it takes. */
export class MailSender {
  readonly #transport;
  readonly #guarded: <T>(call: Call<T>) => Promise<T>;

  constructor({
    SMTP_URL,
    SMTP_TIMEOUT_MS,
    MAIL_FROM,
  }: Pick<Config, 'SMTP_URL' | 'SMTP_TIMEOUT_MS' | 'MAIL_FROM'>) {
    this.#transport = createTransport(
      {
        url: SMTP_URL,
        // A connection per mail costs 150 ms each.
        pool: true,
        maxConnections: 4,
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
    const breaker = circuitBreaker({ name: 'smtp', failures: 5, openMs: 2000, probes: 1 });
    const limit = timeout(SMTP_TIMEOUT_MS);
    this.#guarded = (call) => breaker((signal) => limit(call, signal));
  }

  /**
   * Resolves when the server has taken the mail, or has refused it for good.
   * @throws with `transient: true` when it is worth sending again, under the same Message-ID.
   */
  send({ to, correlationId, ...mail }: Mail): Promise<Outcome> {
    return this.#guarded(async (signal) => {
      const headers = correlationId ? { 'X-Correlation-ID': correlationId } : {};
      try {
        await this.#transport.sendMail({ ...mail, to: { name: '', address: to }, headers, signal });
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
