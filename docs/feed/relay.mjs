// The relay: reads the outbox in order, posts what is new to Hookwell, marks it as sent. It may be killed at any moment and
// started again: what was posted but not marked is posted once more under the same key, which Hookwell knows.
//
//   OUTBOX_DATABASE_URL=… HOOKWELL_URL=https://hooks.example.test HOOKWELL_API_KEY=hk_… node relay.mjs
import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";

const { OUTBOX_DATABASE_URL, HOOKWELL_URL, HOOKWELL_API_KEY } = process.env;
const BATCH_MAX_EVENTS = 100; // Hookwell takes up to 1,000, and 8 MiB
const POLL_MS = 500;
const RETRY_MS = 2_000;
const REQUEST_TIMEOUT_MS = 60_000;

const UNSENT = `select id, key, subject, facts from hookwell_outbox
  where sent_at is null and refused is null order by id limit $1`;

const post = (events) =>
  fetch(`${HOOKWELL_URL}/v1/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${HOOKWELL_API_KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ events }),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });

const database = new pg.Client({ connectionString: OUTBOX_DATABASE_URL });
await database.connect();
await database.query("select pg_advisory_lock(hashtext('hookwell relay'))"); // one relay at a time keeps the order

for (let size = BATCH_MAX_EVENTS; ; ) {
  const { rows } = await database.query(UNSENT, [size]);
  if (rows.length === 0) {
    await wait(POLL_MS);
    continue;
  }
  const events = rows.map(({ key, subject, facts }) => ({ key, facts, ...(subject === null ? {} : { subject }) }));
  const answer = await post(events).catch((error) => ({ status: 0, problem: error }));
  if (answer.ok) {
    await database.query("update hookwell_outbox set sent_at = now() where id = any ($1)", [rows.map(({ id }) => id)]);
    size = BATCH_MAX_EVENTS;
  } else if (answer.status === 413 && size > 1) {
    size = Math.ceil(size / 2);
  } else if (answer.status === 400 || answer.status === 409 || answer.status === 413) {
    // All or nothing: one bad event keeps the others back, so it is put aside for a person to look at.
    const problem = await answer.json();
    const bad = rows[Number(/^events\.(\d+)/.exec(problem.errors?.[0]?.field ?? "events.0")?.[1])];
    await database.query("update hookwell_outbox set refused = $2 where id = $1", [bad.id, problem.detail]);
  } else {
    process.stderr.write(`Hookwell does not take it now (${answer.status}); trying again\n`); // away, busy, key revoked
    await wait(Number(answer.headers?.get("retry-after") ?? 0) * 1_000 || RETRY_MS);
  }
}
