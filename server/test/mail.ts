/** The real way of letters out, to a mail server on loopback that keeps what it got. */
import { createSecretKey } from "node:crypto";
import { createMailSender, type MailSender } from "../src/egress/mail.ts";
import { type AcceptedMail, createSmtpServer, type SmtpServer } from "./smtp-server.ts";
import { until } from "./until.ts";

export interface TestMail {
  readonly sender: MailSender;
  readonly smtp: SmtpServer;
  /** The letters to one address so far, once there are as many. */
  lettersTo(address: string, count?: number): Promise<AcceptedMail[]>;
  close(): Promise<void>;
}

export async function startTestMail(): Promise<TestMail> {
  const smtp = await createSmtpServer();
  const sender = createMailSender({
    smtpUrl: createSecretKey(Buffer.from(smtp.url, "utf8")),
    from: "Hookwell <hooks@example.test>",
  });
  const found = (address: string) => smtp.mails.filter(({ to }) => to.includes(address));
  return {
    sender,
    smtp,
    async lettersTo(address, count = 1) {
      await until(`${count} letters to ${address} have come`, () => found(address).length >= count);
      return found(address);
    },
    close: () => smtp.close(),
  };
}

/** What stands behind the `#` of a letter's link. */
export function tokenIn({ text }: AcceptedMail): string {
  const [, token] = /#([A-Za-z0-9_-]{43})/.exec(text) ?? [];
  if (token === undefined) throw new Error("the letter holds no link");
  return token;
}
