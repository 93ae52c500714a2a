-- COUNT: what a recovery that starts now would find. $1 clinic · $2 webhook · $3 states · $4 the first event's lowest id
-- · $5 the id below which the last lies · $6 rows looked at at most
with wanted as materialized (
  select $1::bigint as clinic_id, $2::bigint as webhook_id, $3::text[] as states, $4::uuid as cursor_event_id,
    (-1)::smallint as cursor_part, $5::uuid as until_event_id, now() as created_at)
select (count(*) filter (where kept))::int as found, (count(*) filter (where not kept))::int as left_out, count(*) < $6::int as counted_all
from (
  select exists (select from events e where e.clinic_id = f.clinic_id and e.id = f.event_id) as kept
  from wanted r cross join lateral (
    select f.clinic_id, f.event_id from finished_deliveries f where
-- include recoverable.sql
    limit $6::int) f) x
