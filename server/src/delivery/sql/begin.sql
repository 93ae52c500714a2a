-- The common tail of take.sql and refill.sql: look at a window of each leased webhook's deliveries, begin the heads that
-- are due, number them, and hold the run for the node $1. Columns are carried along; no CTE is joined to another (the planner would expect
-- one row and go quadratic).
-- The planner believes that a table is as full as when it was looked at last. While it believes that there is next to nothing
-- in it, all ways cost the same, and it takes any: another index than the one that leads to the row, or the whole table. So
-- there is one way only (plans.test.ts): a delivery is looked up by the columns of each index that could be entered; the
-- others of its subject by the subject alone, the clinic being no condition of an index; and `= any (array[…])`, which leads
-- as straight to a row as `=`, is no reason to read a whole index in its order.
rung as (
  delete from bells b using leased l where l.cursor = 0 and b.clinic_id = any (array[l.clinic_id]) and b.webhook_id = l.webhook_id),
looked_at as materialized (
  select d.*, l.fence as run_fence, l.next_sequence, l.include_practitioner, l.include_patient, l.want, l.probing, false as freed,
    not exists (select from deliveries e where e.order_key = d.order_key and e.webhook_id = d.webhook_id
      and e.clinic_id is not distinct from d.clinic_id and e.id < d.id) as head
  from leased l cross join lateral (
    select x.clinic_id, x.webhook_id, x.id, x.event_id, x.part, x.order_key, x.attempt, x.due_at, x.begun_at, x.fence from deliveries x
    where x.clinic_id = l.clinic_id and x.webhook_id = l.webhook_id and x.id > l.cursor
      -- not correlated with the row, so that it is hashed once: thousands of keys cost no more than one
      and (x.clinic_id, x.webhook_id, x.order_key) not in (select p.clinic_id, p.webhook_id, p.order_key from passed p)
    order by x.id limit l.look) d
  union all
  select d.*, l.fence, l.next_sequence, l.include_practitioner, l.include_patient, l.want, l.probing, true, true
  from leased l cross join lateral unnest(string_to_array(l.freed, E'\n')) as f (order_key) cross join lateral (
    select x.clinic_id, x.webhook_id, x.id, x.event_id, x.part, x.order_key, x.attempt, x.due_at, x.begun_at, x.fence from deliveries x
    where x.order_key = f.order_key and x.webhook_id = l.webhook_id and x.clinic_id is not distinct from l.clinic_id
    order by x.id limit 1) d),
startable as materialized (
  -- in order of arrival; a probe takes what has been due for longest, so that the subjects take turns (contract §7)
  select s.*, case when s.able then row_number() over (partition by s.clinic_id, s.webhook_id, s.freed, s.able
    order by case when s.probing then s.due_at end, s.id) end as place
  -- by the clock and not by now(), which may be before the snapshot: what was committed in between is due, too
  from (select w.*, w.head and w.due_at <= clock_timestamp() and (w.begun_at is null or w.fence < w.run_fence) as able from looked_at w) s),
-- Locked, and looked at again as they are now. None is waited for: a late settling may have it, and want this run (store.ts).
heads as materialized (
  select d.clinic_id, d.webhook_id, d.id, d.event_id, d.part, d.order_key, d.attempt, d.begun_at, d.sequence, d.test,
    s.next_sequence, s.run_fence, s.include_practitioner, s.include_patient
  from startable s join deliveries d on d.clinic_id = any (array[s.clinic_id]) and d.webhook_id = s.webhook_id and d.id = s.id
    and d.event_id = s.event_id and d.part = s.part and d.order_key = any (array[s.order_key])
  where s.able and (s.freed or s.place <= s.want)
    and d.attempt = s.attempt and d.due_at <= clock_timestamp() and (d.begun_at is null or d.fence < s.run_fence)
  for update of d skip locked),
-- A claim that was lost with its node: what came of it is not known, and the log says so.
unknown as (
  insert into attempts (clinic_id, event_id, webhook_id, part, attempt, started_at, outcome, body_sent)
  select clinic_id, event_id, webhook_id, part, attempt, begun_at, 'unknown', true from heads where begun_at is not null
  on conflict do nothing),
-- What was narrowed by the time of one attempt stays narrow at the next, though it is ticked again meanwhile: the same id
-- carries the same body, and ticking is never retroactive (contract §6, §7).
begun as (
  update deliveries d set attempt = d.attempt + 1, begun_at = now(), fence = n.run_fence,
    choice_practitioner = case when 'off' in (d.choice_practitioner, n.include_practitioner) then 'off'
      when 'id' in (d.choice_practitioner, n.include_practitioner) then 'id' else 'all' end,
    choice_patient = case when 'off' in (d.choice_patient, n.include_patient) then 'off'
      when 'id' in (d.choice_patient, n.include_patient) then 'id' else 'all' end,
    sequence = case when d.test then null else coalesce(d.sequence, n.next_sequence + n.nth - 1) end
  from (select h.*, row_number() over (partition by clinic_id, webhook_id, sequence is null and not test order by id) as nth
        from heads h) n
  where d.clinic_id = any (array[n.clinic_id]) and d.webhook_id = n.webhook_id and d.id = n.id and d.event_id = n.event_id and d.part = n.part
    and d.order_key = any (array[n.order_key])
  returning d.clinic_id, d.webhook_id, d.id, d.event_id, d.part, d.participants_per_request, d.order_key,
    d.choice_practitioner, d.choice_patient, d.test, d.sequence, d.attempt, d.schedule_start, d.fence),
-- What the scan comes to, per webhook. A row that was picked but is not among the heads was changed by somebody else (a
-- late settling) since the snapshot, or is being changed: then the scan cannot be trusted to have seen all.
summed as materialized (
  select clinic_id, webhook_id, max(fence) as fence, max(version) as version, bool_or(proved) as proved,
    max(concurrency) as concurrency, max(pace) as pace, max(look) as look, max(host) as host,
    max(failures) as failures, max(failing_ms) as failing_ms, bool_or(probing) as parked, max(probes) as probes,
    max(warned) as warned, max(warned_ms) as warned_ms, max(recovered_ms) as recovered_ms,
    sum(fresh) as fresh, sum(seen)::int as seen, max(last_id) as last_id, min(left_id) as left_id,
    sum(picked) <> sum(locked) as contended
  from (
    select clinic_id, webhook_id, fence, version, proved, concurrency, pace, look, host, failures, failing_ms, probing, probes,
      warned, warned_ms, recovered_ms, 0 as fresh, 0 as seen, 0 as picked, 0 as locked,
      null::bigint as last_id, null::bigint as left_id from leased
    union all select clinic_id, webhook_id, run_fence, null, null, null, null, null, null, null, null, null, null, null, null, null,
      case when sequence is null and not test then 1 else 0 end, 0, 0, 1, null, null from heads
    union all select clinic_id, webhook_id, run_fence, null, null, null, null, null, null, null, null, null, null, null, null, null,
      0, case when freed then 0 else 1 end, case when able and (freed or place <= want) then 1 else 0 end, 0,
      case when not freed then id end, case when not freed and able and place > want then id end from startable) x
  group by 1, 2),
kept as (
  update runs r set fence = g.fence, owner = $1::bigint, next_at = 'infinity', next_sequence = r.next_sequence + g.fresh,
    yielded_by = null, yielded_at = null
  from summed g
  where r.clinic_id = any (array[g.clinic_id]) and r.webhook_id = g.webhook_id and (r.owner is distinct from $1::bigint or g.fresh > 0))
-- One row, one JSON value: what a driver makes of hundreds of rows, a column at a time, costs more than sending them.
select json_build_object(
  -- one per leased webhook. seen = rows of its window; cursor = where the next window begins; more = the window was full, or
  -- startable rows were left
  'runs', (select json_agg(x) from (
    select clinic_id, webhook_id, fence, version, proved, concurrency, pace, seen, coalesce(left_id - 1, last_id) as cursor,
      left_id is not null or seen >= look as more, left_id is not null as left, contended,
      host, failures, failing_ms, parked, probes, warned, warned_ms, recovered_ms from summed) x),
  -- heads that are not due yet, with the time left
  'waiting', (select json_agg(x) from (
    select clinic_id, webhook_id, order_key, extract(epoch from due_at - now())::float8 * 1000 as due_in_ms
    from startable where head and not able and due_at > now() and due_at < 'infinity') x),
  -- to be sent now
  'begun', (select json_agg(b) from begun b),
  -- what the events of those are about, each once. A delivery whose event is gone has none, and has to end
  'contents', (select json_agg(x) from (
    select e.clinic_id, e.id as event_id, e.name, e.subject, e.subject_version, encode(e.facts, 'base64') as facts
    from contents_of((select array_agg(k.clinic_id order by k.event_id) from (select distinct clinic_id, event_id from begun) k),
      (select array_agg(k.event_id order by k.event_id) from (select distinct clinic_id, event_id from begun) k)) e) x)
) as scan
