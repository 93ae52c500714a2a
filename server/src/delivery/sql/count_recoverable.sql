-- COUNT: what a recovery would find. $1 to $7 as in recoverable.sql · $8 rows looked at at most
select (count(*) filter (where kept))::int as found, (count(*) filter (where not kept))::int as left_out, count(*) < $8::int as counted_all
from (
  select exists (select from events e where e.clinic_id = $1::bigint and e.id = f.event_id) as kept
  from (
    select f.event_id from finished_deliveries f where
-- include recoverable.sql
    limit $8::int) f) x
