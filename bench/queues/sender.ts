/**
 * What both job queues' senders share: a job is signed, POSTed, and its attempt written down. Whoever would build a sender
 * of webhooks on a job queue would write about this much.
 *
 * It is spared much of what Hookwell does: the body lies ready in the job in plain text (nothing is sealed, opened, narrowed
 * or rendered), the secret is at hand, addresses are not vetted, answers are kept in plain text, there is no order, no pace,
 * no sequence. The row of an attempt has the same columns and the same key as Hookwell's, in a table without partitions.
 */
import { generateSecret } from "@hookwell/sdk";
import { createSigner, type Signer } from "@hookwell/sdk/signature-node";
import pg from "pg";
import { Agent } from "undici";

const CONNECTIONS = 64;
const DATABASE_CONNECTIONS = 4;

export interface Job {
  webhookId: number;
  eventId: string;
  url: string;
  body: string;
}

interface Attempt {
  job: Job;
  startedAt: Date;
  durationMs: number;
  status: number;
  answer: Buffer;
}

export class QueueSender {
  readonly #agent = new Agent({ connections: CONNECTIONS, pipelining: 1 });
  readonly #sign: Signer = createSigner(generateSecret());
  readonly #pool: pg.Pool;
  readonly #waiting: (() => void)[] = [];
  #places: number;
  /** Attempts that wait to be written, and the promise of their statement. */
  #batch: { attempts: Attempt[]; written: Promise<void> } | null = null;
  #writing: Promise<unknown> = Promise.resolve();
  /** When the first request began (Date.now), and how many were answered. */
  firstBeganAt = Number.POSITIVE_INFINITY;
  answered = 0;

  /** @param concurrency requests in flight at most */
  constructor(databaseUrl: string, concurrency: number) {
    this.#places = concurrency;
    this.#pool = new pg.Pool({ connectionString: databaseUrl, max: DATABASE_CONNECTIONS });
  }

  async createTable(): Promise<void> {
    await this.#pool.query(`create table if not exists attempts (
      clinic_id bigint not null, event_id uuid not null, webhook_id bigint not null, part smallint not null,
      attempt smallint not null, started_at timestamptz not null, duration_ms integer, outcome text not null, status smallint,
      choice_practitioner text, choice_patient text, body_sent boolean not null, answer bytea, late boolean not null default false,
      primary key (clinic_id, event_id, webhook_id, part, attempt))`);
  }

  /** Sends one job; returns once its attempt is durable. Attempts that end at the same time are written by one statement. */
  async send(job: Job): Promise<void> {
    return this.#writeSoon(await this.#post(job));
  }

  /** Sends many jobs; their attempts are written by one statement. */
  async sendAll(jobs: readonly Job[]): Promise<void> {
    await this.#write(await Promise.all(jobs.map((job) => this.#post(job))));
  }

  async close(): Promise<void> {
    await this.#agent.close();
    await this.#pool.end();
  }

  async #post({ webhookId, eventId, url, body }: Job): Promise<Attempt> {
    if (this.#places > 0) this.#places -= 1;
    else await new Promise<void>((fulfil) => this.#waiting.push(fulfil));
    const began = Date.now();
    this.firstBeganAt = Math.min(this.firstBeganAt, began);
    const id = `msg_${eventId}_${webhookId}`;
    const timestampSeconds = Math.floor(began / 1_000);
    const headers = [
      ...["content-type", "application/json", "user-agent", "Hookwell-bench/1", "webhook-id", id],
      ...["webhook-timestamp", String(timestampSeconds), "webhook-signature", this.#sign(id, timestampSeconds, body)],
      ...["webhook-attempt", "1", "webhook-subject", eventId],
    ];
    const { origin, pathname } = new URL(url);
    const answer = await this.#agent.request({ origin, path: pathname, method: "POST", headers, body });
    const text = await answer.body.text();
    const next = this.#waiting.shift();
    if (next) next();
    else this.#places += 1;
    if (answer.statusCode !== 200) throw new Error(`the receiver answered ${answer.statusCode}`);
    this.answered += 1;
    return {
      job: { webhookId, eventId, url, body },
      ...{ startedAt: new Date(began), durationMs: Date.now() - began, status: answer.statusCode },
      answer: Buffer.from(JSON.stringify({ text, truncated: false, headers: answer.headers })),
    };
  }

  /** Joins the statement that is to be written when the one under way is done. */
  #writeSoon(attempt: Attempt): Promise<void> {
    if (this.#batch === null) {
      const attempts: Attempt[] = [];
      const written = this.#writing.then(() => {
        this.#batch = null;
        return this.#write(attempts);
      });
      this.#writing = written.catch(() => {});
      this.#batch = { attempts, written };
    }
    this.#batch.attempts.push(attempt);
    return this.#batch.written;
  }

  async #write(attempts: readonly Attempt[]): Promise<void> {
    await this.#pool.query({
      name: "attempts",
      text: `insert into attempts (clinic_id, event_id, webhook_id, part, attempt, started_at, duration_ms, outcome, status,
          choice_practitioner, choice_patient, body_sent, answer)
        select 1, event_id, webhook_id, 0, 1, started_at, duration_ms, 'answered', status, 'id', 'all', true, answer
        from unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::int[], $5::smallint[], $6::bytea[])
          as a (event_id, webhook_id, started_at, duration_ms, status, answer)`,
      values: [
        attempts.map(({ job }) => job.eventId),
        attempts.map(({ job }) => job.webhookId),
        attempts.map(({ startedAt }) => startedAt),
        attempts.map(({ durationMs }) => durationMs),
        attempts.map(({ status }) => status),
        attempts.map(({ answer }) => answer),
      ],
    });
  }
}
