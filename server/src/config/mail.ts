/** The operator's mail server as it stands in the environment. */
import { createSecretKey } from "node:crypto";
import { z } from "zod";

export const smtpUrl = z
  .string()
  .refine((text) => isSmtpUrl(text), {
    error: "must look like smtp://user:password@mail.example.test:587 or smtps://…, with nothing behind the port",
  })
  .transform((text) => createSecretKey(Buffer.from(text, "utf8")));

const MAILBOX = String.raw`[^\s@<>,;:"()\[\]\\]+@[^\s@<>,;:"()\[\]\\]+`;
export const mailFrom = z
  .string()
  .regex(new RegExp(String.raw`^(${MAILBOX}|[^\p{Cc}<>@,;:"\\]{1,100} <${MAILBOX}>)$`, "u"), {
    error: "must look like hooks@example.test or Hookwell <hooks@example.test>",
  });

function isSmtpUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^smtps?:$/.test(url.protocol) || url.hostname === "") return false;
  return (url.pathname === "" || url.pathname === "/") && url.search === "" && url.hash === "";
}
