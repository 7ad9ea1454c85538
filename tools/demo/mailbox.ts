export type Mail = { subject: string; to: string; messageId: string; text: string };

type Stored = {
  subject: string;
  to: { address: string }[];
  text: string;
  messageId?: string;
  headers: Record<string, string>;
};

/** The mails with this Message-ID that the SMTP catcher holds. */
export async function mailsWith(messageId: string, catcher: string): Promise<Mail[]> {
  const stored = (await (await fetch(`${catcher}/api/email`)).json()) as Stored[];
  return stored
    .map(({ subject, to, text, headers, messageId: id }) => {
      return { subject, text, to: to[0]?.address ?? '', messageId: id ?? headers['message-id'] ?? '' };
    })
    .filter((mail) => bare(mail.messageId) === bare(messageId));
}

/** With or without its angle brackets, it is the same id. */
const bare = (id: string) => id.replace(/[<>]/g, '');
