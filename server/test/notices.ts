/** Clinics with managers, notices as the engine raises them, and workers that tell of them, for the tests of the notices. */
import { createSecretKey, randomBytes } from "node:crypto";
import { createMailSender } from "../src/egress/mail.ts";
import type { Log } from "../src/log.ts";
import { Notices } from "../src/notices/notices.ts";
import { watchedLog } from "./canary/watch.ts";
import { createTestEngine, type TestEngine } from "./engine.ts";
import { createSmtpServer, type SmtpServer } from "./smtp-server.ts";

export const PUBLIC_URL = "https://hooks.example.test";
export const MAIL_FROM = "Hookwell <hooks@example.test>";

export interface TestNotices {
  engine: TestEngine;
  smtp: SmtpServer;
  /** A worker of its own, as on a node of its own. */
  worker(options?: { log?: Log; mail?: "none"; deadlineMs?: number; url?: string }): Notices;
  /** A clinic with one webhook and managers with these e-mails. */
  clinic(options?: {
    managers?: string[];
    locale?: "en" | "fr-CA";
    timeZone?: string;
    name?: string;
  }): Promise<NoticeClinic>;
  /** Spreads and sends everything that is due, on one worker. */
  tellAll(worker?: Notices): Promise<void>;
  /** So much time goes by for everything that waits, is leased or was sent. */
  passTime(interval: string): Promise<void>;
  sends(clinicId: number): Promise<SendRow[]>;
  close(): Promise<void>;
}

export interface NoticeClinic {
  id: number;
  webhookId: number;
  /** user ids, in the order of the e-mails */
  managers: string[];
  /** Raises one as the engine does; returns its id. */
  raise(kind: string, details?: object, cause?: string): Promise<number>;
}

export interface SendRow {
  notice_id: number;
  channel: string;
  recipient: string;
  state: string;
  attempts: number;
  last_error: string | null;
  last_status: number | null;
}

export async function createTestNotices(): Promise<TestNotices> {
  const engine = await createTestEngine();
  const smtp = await createSmtpServer();
  const { dispatch: db, seal, clock, egress, owner } = engine;
  const worker: TestNotices["worker"] = ({ log = watchedLog(), mail, deadlineMs, url = smtp.url } = {}) =>
    new Notices({
      ...{ db, seal, clock, egress, log, publicUrl: PUBLIC_URL },
      mail:
        mail === "none"
          ? null
          : createMailSender({
              smtpUrl: createSecretKey(Buffer.from(url)),
              from: MAIL_FROM,
              ...(deadlineMs === undefined ? {} : { deadlineMs }),
            }),
    });
  const first = worker();
  return {
    ...{ engine, smtp, worker },
    clinic: (options) => createClinic(engine, options),
    async tellAll(by = first) {
      await by.spread();
      await by.tell("email");
      await by.tell("webhook");
    },
    async passTime(interval) {
      await owner.query(
        "update notice_sends set due_at = due_at - $1::interval, ended_at = ended_at - $1::interval, begun_at = begun_at - $1::interval",
        [interval],
      );
    },
    async sends(clinicId) {
      const { rows } = await owner.query<SendRow>(
        "select * from notice_sends where clinic_id = $1 order by notice_id, channel, recipient",
        [clinicId],
      );
      return rows;
    },
    async close() {
      await smtp.close();
      await engine.close();
    },
  };
}

async function createClinic(
  { owner, ...engine }: TestEngine,
  options: Parameters<TestNotices["clinic"]>[0] = {},
): Promise<NoticeClinic> {
  const { managers = ["manager@example.test"], locale = "en", timeZone = "America/Toronto", name } = options;
  const id = await engine.createClinic();
  await owner.query("update clinics set locale = $2, time_zone = $3, name = coalesce($4, name) where id = $1", [
    id,
    locale,
    timeZone,
    name,
  ]);
  const { id: webhookId } = await engine.createWebhook(id, { url: "http://127.0.0.1:1/hook" });
  const userIds: string[] = [];
  for (const email of managers) userIds.push(await createManager(owner, id, email));
  return {
    ...{ id, webhookId, managers: userIds },
    async raise(kind, details = {}, cause = `${kind}:${randomBytes(6).toString("hex")}`) {
      const { rows } = await owner.query<{ id: number }>(
        "insert into notices (clinic_id, kind, webhook_id, cause, details) values ($1, $2, $3, $4, $5) returning id",
        [id, kind, webhookId, cause, JSON.stringify(details)],
      );
      return rows[0]?.id as number;
    },
  };
}

async function createManager(owner: TestEngine["owner"], clinicId: number, email: string): Promise<string> {
  const userId = randomBytes(8).toString("hex");
  // An e-mail is unique among the accounts, so each test's are its own.
  await owner.query(
    `insert into auth."user" ("id", "name", "email", "emailVerified", "updatedAt") values ($1, 'Morgan Madeup', $2, true, now())`,
    [userId, email],
  );
  await owner.query("insert into staff (clinic_id, user_id, role) values ($1, $2, 'manager')", [clinicId, userId]);
  return userId;
}
