/**
 * Word between the processes of one database that something may be due.
 *
 * Owns one connection of its own, over which a process tells the others (NOTIFY) and, if it sends deliveries itself, hears
 * them (LISTEN). Promises: tell() never waits and never fails; the first word leaves at once, those within WINDOW_MS after it
 * leave as one; none leaves inside anybody's transaction, whose commits a NOTIFY would put in a queue; a connection that is
 * lost or has gone silent is made anew, and whoever listens is woken then, since words may have been missed.
 * Does not promise that a word arrives: what no word was heard of is found by polling.
 */
import type pg from "pg";
import type { Clock } from "../clock.ts";
import { type Log, logEvent } from "../log.ts";
import { Wake } from "./wake.ts";

/** At most 20 words a second leave this process. */
const WINDOW_MS = 50;
/** A connection that a firewall has forgotten says nothing, least of all that it is gone: only a question shows it. */
const CHECK_EVERY_MS = 15_000;
const RECONNECT_FIRST_MS = 200;
const RECONNECT_LONGEST_MS = 10_000;
const DOUBLINGS_MAX = 10;
const CLOSE_WITHIN_MS = 1_000;

export interface NeighboursOptions {
  /** Makes a connection that nobody else uses and that gives up waiting for answers; it is not dialled yet. */
  connect: () => pg.Client;
  clock: Clock;
  log: Log;
  /** Another process says that something may be due. Absent: this process only tells. */
  onWord?: () => void;
  random?: () => number;
}

interface Connection {
  client: pg.Client;
  /** the channel of this schema; channels are one database's anyway */
  channel: string;
  /** why it can be used no more */
  lost: Error | null;
}

export class Neighbours {
  readonly #options: NeighboursOptions;
  readonly #wake = new Wake();
  /** a word waits to leave */
  #hasWord = false;
  #lastWordMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #stopping = false;
  #loop: Promise<void> | null = null;

  constructor(options: NeighboursOptions) {
    this.#options = options;
  }

  /** Connects, and connects again for as long as it is not stopped. */
  start(): void {
    this.#loop ??= this.#work();
  }

  /** Something may be due: tells every process that listens. */
  tell(): void {
    if (this.#hasWord) return;
    this.#hasWord = true;
    this.#wake.ring();
  }

  /** Lets the word that waits leave, if there is a connection, and closes it. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake.ring();
    await this.#loop;
  }

  async #work(): Promise<void> {
    while (!this.#stopping) {
      try {
        await this.#useOne();
      } catch (err) {
        this.#failures = Math.min(this.#failures + 1, DOUBLINGS_MAX);
        if (this.#failures === 1) logEvent(this.#options.log, "neighbours.connection_lost", { err }, "warn");
      }
      await this.#rest();
    }
  }

  /** Until the next try, longer each time; words that come meanwhile shorten nothing. */
  async #rest(): Promise<void> {
    const { clock, random = Math.random } = this.#options;
    const longestMs = Math.min(RECONNECT_FIRST_MS * 2 ** this.#failures, RECONNECT_LONGEST_MS);
    const untilMs = clock.monotonicMs() + longestMs * (0.5 + random() / 2);
    while (!this.#stopping && clock.monotonicMs() < untilMs) await this.#wake.wait(untilMs - clock.monotonicMs());
  }

  /** One connection from its beginning to its end; throws when it was lost. */
  async #useOne(): Promise<void> {
    const { connect, clock, log, onWord } = this.#options;
    const connection: Connection = { client: connect(), channel: "", lost: null };
    try {
      await this.#open(connection);
      if (this.#failures > 0) logEvent(log, "neighbours.connected_again");
      this.#failures = 0;
      onWord?.();
      let checkAtMs = clock.monotonicMs() + CHECK_EVERY_MS;
      while (!this.#stopping || this.#hasWord) {
        if (connection.lost) throw connection.lost;
        const now = clock.monotonicMs();
        if (this.#hasWord && now >= this.#lastWordMs + WINDOW_MS) await this.#send(connection);
        else if (now >= checkAtMs) {
          await this.#check(connection);
          checkAtMs = clock.monotonicMs() + CHECK_EVERY_MS;
        } else await this.#wake.wait(Math.max(1, (this.#hasWord ? this.#lastWordMs + WINDOW_MS : checkAtMs) - now));
      }
    } finally {
      await close(connection.client);
    }
  }

  async #open(connection: Connection): Promise<void> {
    const { client } = connection;
    const onLost = (err?: Error) => {
      connection.lost ??= err ?? new Error("the connection for words between processes has ended");
      this.#wake.ring();
    };
    client.on("error", onLost);
    client.on("end", () => onLost());
    await client.connect();
    const { rows } = await client.query<{ pid: number; channel: string }>(
      "select pg_backend_pid() as pid, 'hookwell_due_' || left(md5(coalesce(current_schema(), '')), 16) as channel",
    );
    const [row] = rows;
    if (row === undefined) throw new Error("the database did not say which channel is ours");
    connection.channel = row.channel;
    const { onWord } = this.#options;
    if (onWord === undefined) return;
    // Our own words come back to us as well.
    client.on("notification", ({ processId }) => processId !== row.pid && onWord());
    await client.query(`listen ${client.escapeIdentifier(row.channel)}`);
  }

  async #send({ client, channel }: Connection): Promise<void> {
    this.#hasWord = false;
    this.#lastWordMs = this.#options.clock.monotonicMs();
    try {
      await client.query("select pg_notify($1, '')", [channel]);
    } catch (error) {
      this.#hasWord = true; // for the next connection
      throw error;
    }
  }

  /** Asks for an answer, and whether the server still knows that we listen: a proxy may have changed the server behind it. */
  async #check({ client, channel }: Connection): Promise<void> {
    const { rowCount } = await client.query("select from pg_listening_channels() as known where known = $1", [channel]);
    if (this.#options.onWord && rowCount === 0) throw new Error("the server does not know that this process listens");
  }
}

/** Says good-bye, and does not wait long for an answer: the other end may be gone without a word. */
async function close(client: pg.Client): Promise<void> {
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } };
  const limit = setTimeout(() => connection.stream.destroy(), CLOSE_WITHIN_MS);
  await client.end().catch(() => {}); // it has ended already
  clearTimeout(limit);
}
