-- RESEND: one finished delivery comes back. $1 clinic · $2 event · $3 webhook · $4 part. Whoever calls this refuses tests, and
-- what cannot go anywhere, by rolling back.
with picked as materialized (
  select $1::bigint as clinic_id, $2::uuid as event_id, $3::bigint as webhook_id, $4::smallint as part, null::bigint as recovery_id),
-- include bring_back.sql
select test from moved
