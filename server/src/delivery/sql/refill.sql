-- REFILL: go on with webhooks that this node holds. Fenced: a run that was taken from us yields no row.
-- $1 owner (node)
-- $2..$9 one entry per run: clinic, webhook, fence, cursor (0 = start again and consume bells), want, rows to look at, the
--         order keys not worth looking at (in flight or waiting), and those whose delivery has just ended (the next of each
--         is looked up by its own index); keys are joined by line feeds
with held as materialized (
  select * from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::int[], $7::int[], $8::text[], $9::text[])
    as h (clinic_id, webhook_id, fence, cursor, want, look, passed_over, freed)),
leased as materialized (
  select r.clinic_id, r.webhook_id, r.next_sequence, r.fence, h.cursor, w.version,
    r.answered_at is not null as proved, w.concurrency, w.pace_per_second as pace, w.include_practitioner, w.include_patient,
    h.want, h.look, h.freed,
    -- the holder knows these from its TAKE, and is the only one who changes them
    r.parked_at is not null as probing, null::text as host, null::int as failures, null::float8 as failing_ms,
    null::smallint as probes, null::smallint as warned, null::float8 as warned_ms, null::float8 as recovered_ms
  from held h
    join runs r on r.clinic_id = any (array[h.clinic_id]) and r.webhook_id = h.webhook_id
    join webhooks w on w.clinic_id = any (array[r.clinic_id]) and w.id = any (array[r.webhook_id])
  where r.owner is not distinct from $1::bigint -- no condition of an index, so that each is looked up by its key
    and r.fence = h.fence and w.enabled and not w.paused and w.deleted_at is null
  order by h.clinic_id, h.webhook_id -- as settle.sql locks them, which runs beside it
  for no key update of r),
passed as materialized (
  select h.clinic_id, h.webhook_id, k.order_key from held h
    cross join lateral unnest(string_to_array(h.passed_over, E'\n')) as k (order_key)),
-- include begin.sql
