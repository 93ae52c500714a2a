/** How e-mail leaves: to the one server, and with a password only where nobody on the way can read it. */
import { createSecretKey } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSmtpServer, type SmtpServer } from "../../test/smtp-server.ts";
import { createMailSender, serverOf } from "./mail.ts";

let smtp: SmtpServer;

beforeEach(async () => {
  smtp = await createSmtpServer();
});
afterEach(() => smtp.close());

const MESSAGE = { to: "manager@example.test", subject: "s", text: "t", html: "<p>h</p>", id: "one" };
const sender = (url = smtp.url) =>
  createMailSender({
    smtpUrl: createSecretKey(Buffer.from(url)),
    from: "Hookwell <hooks@example.test>",
    deadlineMs: 5_000,
  });

describe("the mail server", () => {
  test("is reached by TLS from the first byte with smtps, and by STARTTLS wherever a password is sent to another machine", () => {
    const of = (url: string) => serverOf(new URL(url));
    expect(of("smtps://mail.example.test")).toMatchObject({
      secure: true,
      port: 465,
      tls: { rejectUnauthorized: true },
    });
    expect(of("smtp://u:p%40ss@mail.example.test")).toMatchObject({
      ...{ secure: false, port: 587, requireTLS: true, auth: { user: "u", pass: "p@ss" } },
      tls: { minVersion: "TLSv1.2", rejectUnauthorized: true },
    });
    expect(of("smtp://mail.example.test:25")).toMatchObject({ port: 25, requireTLS: false });
    expect(of("smtp://u:p@127.0.0.1:25")).toMatchObject({ requireTLS: false, tls: { rejectUnauthorized: false } });
    expect(of("smtp://u:p@127.0.0.1.example.test")).toMatchObject({
      requireTLS: true,
      tls: { rejectUnauthorized: true },
    });
  });

  test("gets a message with exactly one recipient, whose id and sender are ours", async () => {
    expect(await sender().send(MESSAGE)).toEqual({ kind: "accepted" });
    expect(smtp.mails).toMatchObject([{ from: "hooks@example.test", to: ["manager@example.test"] }]);
    expect(smtp.mails[0]?.headers.get("message-id")).toBe("<one@example.test>");
    expect(smtp.mails[0]?.headers.get("from")).toBe("Hookwell <hooks@example.test>");
  });

  test.each([
    "a@b@c",
    "a b@example.test",
    "a@example.test\r\nRCPT TO:<b@example.test>",
    "@example.test",
    '"a"@example.test',
    "",
  ])("is never asked for the mailbox %j", async (to) => {
    expect(await sender().send({ ...MESSAGE, to })).toEqual({ kind: "refused_recipient", status: null });
    expect(smtp.connections).toBe(0);
  });

  test.each([
    [
      "the sender is refused",
      (command: string) => (/^MAIL/.test(command) ? "553 not from here" : null),
      "refused",
      553,
    ],
    ["the content is refused", (command: string) => (command === "." ? "554 no" : null), "refused", 554],
    ["it is too busy", (command: string) => (/^MAIL/.test(command) ? "421 too busy" : null), "deferred", 421],
    [
      "the recipient does not exist",
      (command: string) => (/^RCPT/.test(command) ? "550 no" : null),
      "refused_recipient",
      550,
    ],
    ["the recipient shall wait", (command: string) => (/^RCPT/.test(command) ? "452 full" : null), "deferred", 452],
  ] as const)("says by a value that %s", async (_what, answer, kind, status) => {
    smtp.answer = answer;
    expect(await sender().send(MESSAGE)).toEqual({ kind, status });
  });

  test("that does not exist is unreachable", async () => {
    await smtp.down();
    expect(await sender().send(MESSAGE)).toEqual({ kind: "unreachable", status: null });
  });

  test("that offers STARTTLS and cannot do it is not spoken to in the open", async () => {
    smtp.extensions = ["STARTTLS"];
    smtp.answer = (command) => (/^STARTTLS/i.test(command) ? "454 not now" : null);
    expect((await sender().send(MESSAGE)).kind).not.toBe("accepted");
    expect(smtp.mails).toEqual([]);
  });
});
