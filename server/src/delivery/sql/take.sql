-- TAKE: lease webhooks that may have due work, and begin their first deliveries, in one statement (engine.md).
-- $1 owner (node) · $2 webhooks at most · $3 rows looked at per webhook at most · $4 deliveries to begin per webhook at most
-- $5 true: only those whose receiver is in doubt (it failed last, or has never answered); false: only the others
-- A bell commits together with its deliveries and is consumed only here or in refill.sql, under the run's lock and in the
-- snapshot of the scan: that is why no wake-up is lost.
-- No limit on what is due: bells of webhooks that are off or held elsewhere would fill it and keep the others out.
-- Where more is due than can be taken, what has waited longest goes first: retries by their time, bells by their number.
with due as materialized (
  select clinic_id, webhook_id, min(next_at) as next_at, min(bell) as bell from (
    select clinic_id, webhook_id, null::timestamptz as next_at, min(id) as bell from bells group by 1, 2
    union all
    select clinic_id, webhook_id, next_at, null from runs where owner is null and next_at <= now() and next_at < 'infinity') d
  group by 1, 2),
leased as materialized (
  select r.clinic_id, r.webhook_id, r.next_sequence, r.fence + 1 as fence, 0::bigint as cursor,
    w.version, r.answered_at is not null as proved, w.concurrency, w.pace_per_second as pace,
    case when r.answered_at is null or r.failures > 0 then 1
      else least(w.concurrency, w.pace_per_second / 5 + 1, $4::int) end as want,
    case when r.parked_at is null then least($3::int, 4 * $4::int) else $3::int end as look,
    w.url_host as host, r.failures, extract(epoch from now() - r.failing_since)::float8 * 1000 as failing_ms,
    r.parked_at is not null as probing, r.probes, r.warned, extract(epoch from now() - r.warned_at)::float8 * 1000 as warned_ms,
    extract(epoch from now() - r.recovered_at)::float8 * 1000 as recovered_ms
  from due
    join runs r on r.clinic_id = due.clinic_id and r.webhook_id = due.webhook_id
    join webhooks w on w.clinic_id = r.clinic_id and w.id = r.webhook_id
  where r.owner is null and w.enabled and w.deleted_at is null
    and (r.answered_at is null or r.failures > 0) = $5::boolean
    and (r.parked_at is null or r.next_at <= now()) -- a parked one hears no bell
    and exists (select from nodes n where n.id = $1::bigint) -- a node that was declared dead and has not heard yet takes nothing
  order by due.next_at nulls last, due.bell limit $2 for no key update of r skip locked),
passed as (select null::bigint as clinic_id, null::bigint as webhook_id, null::text as order_key where false),
freed as (select null::bigint as clinic_id, null::bigint as webhook_id, null::text as order_key where false),
-- Bells of webhooks that this node holds already: it starts their scan again.
rung_while_held as (
  select due.clinic_id, due.webhook_id from due
    join runs r on r.clinic_id = due.clinic_id and r.webhook_id = due.webhook_id where r.owner = $1::bigint),
-- include begin.sql
union all
select 'rung', clinic_id, webhook_id, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
  null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null
from rung_while_held
