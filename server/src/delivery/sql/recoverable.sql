-- The common condition of count_recoverable.sql and recover.sql: which finished deliveries (f) a recovery takes back.
-- $1 clinic · $2 webhook · $3 states · $4 $5 the event and part after which to look · $6 the event id below which to look
-- · $7 when the recovery started (null: now); only what had ended by then is taken, so that what fails again is not taken twice
-- All of them are values the planner sees: with a row's columns it would sort all there is rather than go along the index.
f.clinic_id = $1::bigint and f.webhook_id = $2::bigint and not f.test and f.finished_at <= coalesce($7::timestamptz, now())
and f.event_id >= $4::uuid and (f.event_id, f.part) > ($4::uuid, $5::smallint) and f.event_id < $6::uuid
and f.state <> 'delivered'                         -- as in the index
and ((f.state = 'given_up' and 'failed' = any ($3::text[])) or (f.state = 'cancelled' and f.reason = 'off' and 'off' = any ($3::text[])))
