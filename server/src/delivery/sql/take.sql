-- TAKE: lease webhooks that may have due work, and begin their first deliveries, in one statement (engine.md).
-- $1 owner (node) · $2 webhooks at most · $3 rows looked at per webhook at most · $4 deliveries to begin per webhook at most
-- $5 true: only those whose receiver is in doubt (it failed last, or has never answered); false: only the others
-- $6, $7 clinic and webhook after which to go on among the bells · $8 webhooks with bells to look at, at most
-- $9 whether this node has less than its share: then it takes what others gave away (release.sql); after 5 s anybody does
-- A bell commits together with its deliveries and is consumed only here or in refill.sql, under the run's lock, and in the
-- snapshot of a scan, or where one is sure to follow (by whoever holds the run, or of a parked one by its probe; rest.sql takes
-- away those of parked ones, too): that is why no wake-up is lost.
-- The bells are gone through from webhook to webhook (a loose index scan), however many bells each has, and on from where
-- the last TAKE ended, round and round: those of webhooks that are off, parked or held elsewhere cannot fill what is looked
-- at and keep the others out.
with recursive ring (clinic_id, webhook_id, step) as (
  (select clinic_id, webhook_id, 1 from bells where (clinic_id, webhook_id) > ($6::bigint, $7::bigint)
   order by clinic_id, webhook_id limit 1)
  union all
  select b.clinic_id, b.webhook_id, r.step + 1
  from ring r cross join lateral (
    select n.clinic_id, n.webhook_id from bells n where (n.clinic_id, n.webhook_id) > (r.clinic_id, r.webhook_id)
    order by n.clinic_id, n.webhook_id limit 1) b
  where r.step < $8::int),
looked_up as materialized (
  select b.clinic_id, b.webhook_id, b.step, r.owner, r.fence, r.webhook_version as version, r.parked_at, r.next_at,
    (r.failures > 0 or r.answered_at is null) = $5::boolean as is_asked_for from ring b
    left join runs r on r.clinic_id = any (array[b.clinic_id]) and r.webhook_id = b.webhook_id),
-- Those that are off, paused or given away to others are left out before it is counted how many: until rest.sql has come by
-- they would keep the others out.
due as materialized (
  select clinic_id, webhook_id, min(next_at) as next_at, min(step) as step, max(fence) as fence from (
    select clinic_id, webhook_id, null::timestamptz as next_at, step, fence from looked_up where owner is null and is_asked_for
    union all
    (select r.clinic_id, r.webhook_id, r.next_at, null, r.fence from runs r join webhooks w on w.clinic_id = any (array[r.clinic_id]) and w.id = any (array[r.webhook_id])
     where not $5::boolean and r.owner is null and r.next_at <= now() and r.next_at < 'infinity' and r.failures = 0 and r.answered_at is not null
       and w.enabled and not w.paused and w.deleted_at is null
       and (r.yielded_at is null or r.yielded_at < now() - interval '5 seconds' or ($9::boolean and r.yielded_by <> $1::bigint))
     order by r.next_at limit 2 * $2::int)
    union all
    (select r.clinic_id, r.webhook_id, r.next_at, null, r.fence from runs r join webhooks w on w.clinic_id = any (array[r.clinic_id]) and w.id = any (array[r.webhook_id])
     where $5::boolean and r.owner is null and r.next_at <= now() and r.next_at < 'infinity' and (r.failures > 0 or r.answered_at is null)
       and w.enabled and not w.paused and w.deleted_at is null
       and (r.yielded_at is null or r.yielded_at < now() - interval '5 seconds' or ($9::boolean and r.yielded_by <> $1::bigint))
     order by r.next_at limit 2 * $2::int)) d
  group by 1, 2),
leased as materialized (
  select r.clinic_id, r.webhook_id, r.next_sequence, r.fence + 1 as fence, 0::bigint as cursor,
    w.version, r.answered_at is not null as proved, w.concurrency, w.pace_per_second as pace,
    w.include_practitioner, w.include_patient,
    case when r.answered_at is null or r.failures > 0 then 1
      else least(w.concurrency, w.pace_per_second / 5 + 1, $4::int) end as want,
    -- a probe has the oldest of many to choose from
    case when r.parked_at is null then least($3::int, 2 * $4::int) else $3::int end as look,
    null::text as freed, w.url_host as host, r.failures, extract(epoch from now() - r.failing_since)::float8 * 1000 as failing_ms,
    r.parked_at is not null as probing, r.probes, r.warned, extract(epoch from now() - r.warned_at)::float8 * 1000 as warned_ms,
    extract(epoch from now() - r.recovered_at)::float8 * 1000 as recovered_ms
  from due
    join runs r on r.clinic_id = any (array[due.clinic_id]) and r.webhook_id = due.webhook_id
    join webhooks w on w.clinic_id = any (array[r.clinic_id]) and w.id = any (array[r.webhook_id])
  where r.owner is null and w.enabled and not w.paused and w.deleted_at is null
    -- Nobody had it between the look and the lock: he would have taken away bells of deliveries that are not in this snapshot.
    and r.fence = due.fence
    and (r.failures > 0 or r.answered_at is null) = $5::boolean
    and (r.parked_at is null or r.next_at <= now()) -- a parked one hears no bell
    and (r.yielded_at is null or r.yielded_at < now() - interval '5 seconds' or ($9::boolean and r.yielded_by <> $1::bigint))
    and exists (select from nodes n where n.id = $1::bigint) -- a node that was declared dead and has not heard yet takes nothing
  order by due.next_at nulls last, due.step limit $2 for no key update of r skip locked),
passed as (select null::bigint as clinic_id, null::bigint as webhook_id, null::text as order_key where false),
-- Bells of webhooks that this node holds already: it starts their scan again.
rung_while_held as materialized (select clinic_id, webhook_id, version from looked_up where owner is not distinct from $1::bigint),
-- It has heard them, so they go: left where they are, those of receivers that hang would be gone through by every TAKE. Their
-- holder remembers them until its next scan from the start, or until it says that the webhook is due at once (release.sql);
-- when it is lost, the webhook comes due anyway (reap.sql). Those of a parked webhook go as well: every probe looks at
-- everything from the start, and so does the scan after the first success. A run that is locked keeps its bells for the next TAKE.
spent as materialized (
  select clinic_id, webhook_id from looked_up
  where owner is not distinct from $1::bigint or (owner is null and parked_at is not null and next_at > now())),
spent_locked as materialized (
  select r.clinic_id, r.webhook_id from spent s
    join runs r on r.clinic_id = any (array[s.clinic_id]) and r.webhook_id = s.webhook_id
  where r.owner is not distinct from $1::bigint or (r.owner is null and r.parked_at is not null and r.next_at > now())
  for no key update of r skip locked),
spent_removed as (
  delete from bells b using spent_locked s where b.clinic_id = any (array[s.clinic_id]) and b.webhook_id = s.webhook_id),
-- include begin.sql
, (select json_agg(r) from rung_while_held r) as rung,
-- where the next TAKE goes on among the bells, if there may be more
(select json_build_object('clinic_id', clinic_id, 'webhook_id', webhook_id) from looked_up where step = $8::int) as looked_up_to
