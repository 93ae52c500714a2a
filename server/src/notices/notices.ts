/**
 * Notices: everything that happens after a row of `notices` stands. Whoever raises one (the engine, the retention, the watch
 * over deadlines) inserts it in a transaction of its own, once per cause; here it is told.
 *
 * Owns: e-mails to the clinic's managers, calls of its operational webhook, the watch over late deliveries (late.ts). Promises:
 * what is to be told is durable before anything is sent and tried until it is accepted or given up, and a giving up is said;
 * any number of nodes share the work, and a lease keeps two from telling the same; no transaction is open while something is
 * sent. A process that is lost between the mail server's "accepted" and our commit leaves a message that will be sent twice:
 * never zero times. Does not: decide that something is wrong, render in-app notices (web), or dial anything (egress).
 */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../clock.ts";
import type { Db } from "../db/schema.ts";
import type { Egress } from "../egress/client.ts";
import type { MailSender } from "../egress/mail.ts";
import { type Log, logEvent } from "../log.ts";
import type { Seal } from "../seal/seal.ts";
import { LateWatch } from "./late.ts";
import { composeLetter, NOTICES_TOLD_MAX } from "./letter.ts";
import { Loop } from "./loop.ts";
import { callOperational } from "./operational-call.ts";
import { type AfterTelling, afterTelling, type Told } from "./policy.ts";
import { mailboxOf, readClinic, readNotices } from "./read.ts";
import { type Channel, hasDue, type Leased, leaseSends, settleSends, spreadNotices } from "./send-store.ts";

const LOOK_EVERY_MS = 5_000;
const LATE_LOOK_EVERY_MS = 15_000;
const LATE_GO_ON_AFTER_MS = 1_000;
/** Messages under way at once, per channel: one that hangs does not hold up the others. */
const AT_ONCE: Readonly<Record<Channel, number>> = { email: 4, webhook: 4 };

export interface NoticesOptions {
  /** runs as hookwell_dispatch */
  readonly db: Db;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly log: Log;
  readonly egress: Pick<Egress, "check" | "post">;
  /** null: no mail server is configured, and no e-mail is sent */
  readonly mail: MailSender | null;
  /** the origin under which the page is found, for links */
  readonly publicUrl: string;
  readonly random?: () => number;
}

export class Notices {
  readonly #options: NoticesOptions;
  readonly #loops: readonly Loop[];
  readonly late: LateWatch;

  constructor(options: NoticesOptions) {
    this.#options = options;
    this.late = new LateWatch(options);
    const { log } = options;
    const loop = (name: string, everyMs: number, turn: (signal: AbortSignal) => Promise<unknown>) =>
      new Loop({ name, everyMs, log, turn });
    this.#loops = [
      loop("spread", LOOK_EVERY_MS, () => this.spread()),
      loop("email", LOOK_EVERY_MS, (signal) => this.tell("email", signal)),
      loop("webhook", LOOK_EVERY_MS, (signal) => this.tell("webhook", signal)),
      loop("late", LATE_LOOK_EVERY_MS, (signal) => this.#watch(signal)),
    ];
  }

  /** Begins to look for what is to be told. Says once where no e-mail can be sent. */
  start(): void {
    if (this.#options.mail === null) logEvent(this.#options.log, "notices.without_mail", {}, "warn");
    for (const loop of this.#loops) loop.start();
  }

  /** Lets the messages that are under way end, and begins no other. */
  async stop(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }

  async #watch(signal: AbortSignal): Promise<void> {
    while ((await this.late.turn(signal)).hadEnough && !signal.aborted) {
      // An abort ends the wait, and is no failure.
      await sleep(LATE_GO_ON_AFTER_MS, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** Turns new notices into what has to be sent; returns how many notices those were. */
  async spread(): Promise<number> {
    let spread = 0;
    for (;;) {
      const some = await spreadNotices(this.#options.db, { withMail: this.#options.mail !== null });
      spread += some;
      if (some === 0) return spread;
    }
  }

  /** Sends what is due on a channel until nothing is left that can be sent now; returns how many messages were tried. */
  async tell(channel: Channel, signal?: AbortSignal): Promise<number> {
    if (channel === "email" && this.#options.mail === null) return 0;
    if (!(await hasDue(this.#options.db, channel))) return 0;
    const work = async () => {
      let tried = 0;
      while (!signal?.aborted) {
        const leased = await leaseSends(this.#options.db, channel);
        if (leased === null) break;
        await this.#tellOne(leased);
        tried += 1;
      }
      return tried;
    };
    const done = await Promise.all(Array.from({ length: AT_ONCE[channel] }, work));
    return done.reduce((sum, tried) => sum + tried, 0);
  }

  /** Never throws for what came of the message; a fault of our own is told of and tried again like one of theirs. */
  async #tellOne(leased: Leased): Promise<void> {
    const told = await this.#message(leased).catch((err: unknown): Told => {
      logEvent(this.#options.log, "notices.failed_here", { clinic_id: leased.clinicId, err }, "error");
      return { ok: false, error: "failed_here", status: null, forGood: false };
    });
    const random = (this.#options.random ?? Math.random)();
    const ended = leased.sends.map(({ noticeId, attempts }) => ({
      ...{ noticeId, attempts },
      after: afterTelling(told, attempts, random),
    }));
    await settleSends(this.#options.db, leased, ended);
    for (const { after } of ended.slice(0, 1)) this.#say(leased, after);
  }

  #message(leased: Leased): Promise<Told> {
    return leased.channel === "email" ? this.#mail(leased) : this.#call(leased);
  }

  async #mail({ clinicId, recipient, sends }: Leased): Promise<Told> {
    const { db, mail, publicUrl } = this.#options;
    if (mail === null) throw new Error("an e-mail was leased without a mail server");
    const to = await mailboxOf(db, clinicId, recipient);
    if (to === null) return { ok: false, error: "no_manager", status: null, forGood: true };
    const ids = sends.map(({ noticeId }) => noticeId);
    const told = await readNotices(db, clinicId, ids.slice(0, NOTICES_TOLD_MAX));
    const letter = composeLetter(await readClinic(db, clinicId), { told, count: ids.length }, publicUrl);
    // The same notices to the same person make the same id, so that mail programs show a message that was sent twice once.
    const id = createHash("sha256")
      .update(JSON.stringify([clinicId, recipient, ids]))
      .digest("hex")
      .slice(0, 32);
    const outcome = await mail.send({ ...letter, to, id: `notice-${id}` });
    if (outcome.kind === "accepted") return { ok: true };
    return { ok: false, error: outcome.kind, status: outcome.status, forGood: outcome.kind === "refused_recipient" };
  }

  async #call({ clinicId, sends }: Leased): Promise<Told> {
    const ids = sends.map(({ noticeId }) => noticeId);
    const [notice, ...others] = await readNotices(this.#options.db, clinicId, ids);
    if (notice === undefined || others.length > 0) throw new Error("a call tells of one notice, and one only");
    return callOperational(this.#options, clinicId, notice);
  }

  #say({ clinicId, channel, recipient, sends }: Leased, after: AfterTelling): void {
    const fields = {
      clinic_id: clinicId,
      count: sends.length,
      ...(channel === "email" ? { staff_id: recipient } : {}),
      ...(after.do === "sent" ? {} : { outcome: after.error, status: after.status }),
    };
    const what = { sent: "sent", retry: "failed", give_up: "given_up" } as const;
    const level = after.do === "give_up" ? "warn" : "info";
    logEvent(this.#options.log, `notices.${channel}_${what[after.do]}`, fields, level);
  }
}
