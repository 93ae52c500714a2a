/** A mail server on loopback that a test steers: which recipients it refuses, what it says, and what it has accepted so far. */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

export interface AcceptedMail {
  from: string;
  to: string[];
  /** head and body as they came over the wire */
  raw: string;
  /** header names in lower case; folded lines joined */
  headers: Map<string, string>;
  /** of the plain text part */
  text: string;
  /** of the HTML part */
  html: string;
}

export interface SmtpServer {
  url: string;
  mails: AcceptedMail[];
  /** connections ever accepted */
  connections: number;
  /** Everything that clients said, for looking for passwords. */
  heard: string;
  /** The answer to a command such as `RCPT TO:<…>` or `.`; null: the usual one. Empty: none at all. */
  answer: (command: string) => string | null;
  /** Offered to clients after EHLO. */
  extensions: string[];
  close(): Promise<void>;
  /** Connections are refused until up(). */
  down(): Promise<void>;
  up(): Promise<void>;
}

export async function createSmtpServer(): Promise<SmtpServer> {
  const open = new Set<Socket>();
  let server: Server;
  let port = 0;
  const smtp: SmtpServer = {
    url: "",
    mails: [],
    connections: 0,
    heard: "",
    answer: () => null,
    extensions: ["AUTH PLAIN"],
    close: () => stop(server, open),
    down: () => stop(server, open),
    async up() {
      server = listener();
      await listen(server, port);
    },
  };
  function listener(): Server {
    return createServer((socket) => {
      smtp.connections++;
      open.add(socket);
      socket.on("close", () => open.delete(socket));
      socket.on("error", () => {});
      converse(socket, smtp);
    });
  }
  server = listener();
  port = await listen(server, 0);
  smtp.url = `smtp://127.0.0.1:${port}`;
  return smtp;
}

function converse(socket: Socket, smtp: SmtpServer): void {
  let received = "";
  let envelope = { from: "", to: [] as string[] };
  let inData = false;
  const say = (command: string, usual: string) => {
    const line = smtp.answer(command) ?? usual;
    if (line !== "") socket.write(`${line}\r\n`);
    return line;
  };
  const command = (line: string): void => {
    smtp.heard += `${line}\n`;
    if (/^EHLO/i.test(line))
      say(line, ["250-here", ...smtp.extensions.map((one) => `250-${one}`), "250 HELP"].join("\r\n"));
    else if (/^AUTH/i.test(line)) say(line, "235 welcome");
    else if (/^MAIL FROM:/i.test(line)) envelope = { from: inBrackets(line), to: [] };
    else if (/^RCPT TO:/i.test(line)) {
      if (say(line, "250 fine").startsWith("2")) envelope.to.push(inBrackets(line));
      return;
    } else if (/^DATA/i.test(line)) inData = say(line, "354 go on").startsWith("3");
    else if (/^QUIT/i.test(line)) socket.end("221 bye\r\n");
    else say(line, "250 fine");
    if (/^MAIL FROM:/i.test(line)) say(line, "250 fine");
  };
  say("", "220 here");
  socket.on("data", (chunk) => {
    received += chunk.toString("latin1");
    for (;;) {
      const end = inData ? received.indexOf("\r\n.\r\n") : received.indexOf("\r\n");
      if (end < 0) return;
      const piece = received.slice(0, end);
      received = received.slice(end + (inData ? 5 : 2));
      if (!inData) command(piece);
      else {
        inData = false;
        const mail = parse(envelope, piece);
        // Accepted before it is answered: a connection that breaks now leaves a mail that the sender does not know of.
        smtp.mails.push(mail);
        if (!say(".", "250 queued").startsWith("2")) smtp.mails.splice(smtp.mails.indexOf(mail), 1);
      }
    }
  });
}

function inBrackets(line: string): string {
  return /<([^>]*)>/.exec(line)?.[1] ?? "";
}

function parse({ from, to }: { from: string; to: string[] }, raw: string): AcceptedMail {
  const [head = ""] = raw.split("\r\n\r\n", 1);
  const headers = headersOf(head);
  const boundary = /boundary="([^"]+)"/.exec(headers.get("content-type") ?? "")?.[1] ?? "none";
  const parts = raw.split(`--${boundary}`).slice(1);
  const part = (type: string) => decoded(parts.find((one) => one.includes(`Content-Type: ${type}`)) ?? "");
  return { from, to: [...to], raw, headers, text: part("text/plain"), html: part("text/html") };
}

function headersOf(head: string): Map<string, string> {
  const lines = head.replaceAll(/\r\n[ \t]+/g, " ").split("\r\n");
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), words(line.slice(colon + 1).trim())];
    }),
  );
}

/** RFC 2047 encoded words. */
function words(value: string): string {
  return value
    .replaceAll(/\?= =\?/g, "?==?")
    .replaceAll(/=\?utf-8\?(q|b)\?([^?]*)\?=/gi, (_whole, how: string, text: string) =>
      how.toLowerCase() === "b"
        ? Buffer.from(text, "base64").toString("utf8")
        : quotedPrintable(text.replaceAll("_", " ")),
    );
}

function decoded(part: string): string {
  const [head = "", ...body] = part.split("\r\n\r\n");
  const text = body.join("\r\n\r\n");
  if (/base64/i.test(head)) return Buffer.from(text, "base64").toString("utf8");
  return /quoted-printable/i.test(head) ? quotedPrintable(text.replaceAll("=\r\n", "")) : text;
}

function quotedPrintable(text: string): string {
  const bytes = text.replaceAll(/=([0-9a-f]{2})/gi, (_whole, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, "latin1").toString("utf8");
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((fulfil, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", fulfil);
  });
  return (server.address() as AddressInfo).port;
}

async function stop(server: Server, open: Set<Socket>): Promise<void> {
  for (const socket of open) socket.destroy();
  if (server.listening) await new Promise<void>((fulfil) => server.close(() => fulfil()));
}
