-- RECOVER: one batch of one recovery: its deliveries come back, and its cursor goes on, in one statement, so that a crash
-- leaves both or neither. Two nodes never work on one recovery: its row is locked, and must be as due_recoveries.sql has read it.
-- $1 to $7 as in recoverable.sql · $8 the recovery · $9 seconds that a batch is for · $10 recovered deliveries that may wait
-- per webhook · $11 rows looked at at most · $12 pace of a webhook whose address has not answered yet
with due as materialized (
  select r.clinic_id, r.webhook_id, r.id, w.deleted_at is not null as gone,
    least(r.pace_per_second, case when n.answered_at is null then $12::int else w.pace_per_second end / 2.0)::float8 as pace
  from recoveries r
    join webhooks w on w.clinic_id = r.clinic_id and w.id = r.webhook_id
    join runs n on n.clinic_id = r.clinic_id and n.webhook_id = r.webhook_id
  where r.clinic_id = $1::bigint and r.webhook_id = $2::bigint and r.id = $8::bigint
    and r.cursor_event_id = $4::uuid and r.cursor_part = $5::smallint
    and r.state = 'running' and r.next_at <= now() and (w.deleted_at is not null or (w.enabled and not w.paused and n.parked_at is null))
  for no key update of r skip locked),
-- A new batch comes when the last one has been started, so that live events never stand behind more than two; and those that
-- failed and wait for their retries are bounded, too.
room as materialized (
  select d.*, case when d.gone then 0 else greatest(0, least(b.batch, 2 * b.batch - h.untried, $10::int - h.waiting)) end as allowed
  from due d
    cross join lateral (select greatest(1, floor(d.pace * $9::int))::int as batch) b
    cross join lateral (
      select count(*)::int as waiting, (count(*) filter (where untried))::int as untried
      from (select x.attempt = x.schedule_start as untried from deliveries x
        where x.clinic_id = d.clinic_id and x.webhook_id = d.webhook_id and x.recovery_id is not null limit $10::int) x) h),
looked_at as materialized (                        -- nth: how many whose content is kept, up to here
  select f.event_id, f.part, f.kept, sum(f.kept::int) over (order by f.event_id, f.part) as nth
  from (
    select f.event_id, f.part, exists (select from events e where e.clinic_id = $1::bigint and e.id = f.event_id and e.facts is not null) as kept
    from (
      select f.event_id, f.part from finished_deliveries f where exists (select from room where allowed > 0) and
-- include recoverable.sql
      order by f.event_id, f.part limit $11::int) f) f),
picked as materialized (
  select r.clinic_id, l.event_id, r.webhook_id, l.part, r.id as recovery_id
  from room r cross join looked_at l where l.kept and l.nth <= r.allowed),
-- include bring_back.sql
, summed as materialized (
  select r.*, s.seen < $11::int and not s.is_left as at_end, s.event_id, s.part, (select count(*)::int from moved) as moved
  from room r cross join lateral (
    select count(*) as seen, coalesce(bool_or(l.nth > r.allowed), false) as is_left,
      (array_agg(l.event_id order by l.event_id desc, l.part desc) filter (where l.nth <= r.allowed))[1] as event_id,
      (array_agg(l.part order by l.event_id desc, l.part desc) filter (where l.nth <= r.allowed))[1] as part
    from looked_at l) s)
update recoveries r set
  queued = r.queued + s.moved,
  cursor_event_id = coalesce(s.event_id, r.cursor_event_id),
  cursor_part = coalesce(s.part, r.cursor_part),
  state = case when s.gone then 'cancelled' when s.allowed > 0 and s.at_end then 'done' else r.state end,
  ended_at = case when s.gone or (s.allowed > 0 and s.at_end) then now() end,
  next_at = now() + case when s.allowed = 0 then 1 else s.moved / s.pace end * interval '1 second'
from summed s
where r.clinic_id = s.clinic_id and r.webhook_id = s.webhook_id and r.id = s.id
returning r.clinic_id, r.webhook_id, r.id, r.state, r.queued, s.moved, extract(epoch from r.next_at - now())::float8 * 1000 as next_in_ms
