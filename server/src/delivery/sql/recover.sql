-- RECOVER: one batch of each recovery that is due: its deliveries come back, and its cursor goes on, in one statement, so
-- that a crash leaves both or neither. Two nodes never work on one recovery: its row is locked, and read as it then is.
-- $1 recoveries at most · $2 seconds that a batch is for · $3 recovered deliveries that may wait per webhook · $4 rows looked
-- at per recovery at most · $5 pace of a webhook whose address has not answered yet
-- While its webhook is off or parked a recovery is simply not due; one whose webhook was deleted ends.
with due as materialized (
  select r.clinic_id, r.webhook_id, r.id, r.states, r.cursor_event_id, r.cursor_part, r.until_event_id, r.created_at,
    w.deleted_at is not null as gone,
    least(r.pace_per_second, case when n.answered_at is null then $5::int else w.pace_per_second end / 2.0)::float8 as pace
  from recoveries r
    join webhooks w on w.clinic_id = r.clinic_id and w.id = r.webhook_id
    join runs n on n.clinic_id = r.clinic_id and n.webhook_id = r.webhook_id
  where r.state = 'running' and r.next_at <= now() and (w.deleted_at is not null or (w.enabled and n.parked_at is null))
  order by r.next_at limit $1::int for no key update of r skip locked),
-- A new batch comes when the last one has been started, so that live events never stand behind more than two; and those that
-- failed and wait for their retries are bounded, too.
room as materialized (
  select d.*, case when d.gone then 0 else greatest(0, least(b.batch, 2 * b.batch - h.untried, $3::int - h.waiting)) end as allowed
  from due d
    cross join lateral (select greatest(1, floor(d.pace * $2::int))::int as batch) b
    cross join lateral (
      select count(*)::int as waiting, (count(*) filter (where untried))::int as untried
      from (select x.attempt = x.schedule_start as untried from deliveries x
        where x.clinic_id = d.clinic_id and x.webhook_id = d.webhook_id and x.recovery_id is not null limit $3::int) x) h),
looked_at as materialized (                        -- nth: how many whose content is kept, up to here
  select l.*, sum(l.kept::int) over (partition by l.clinic_id, l.webhook_id order by l.event_id, l.part) as nth
  from (
    select r.clinic_id, r.webhook_id, r.id, r.allowed, f.event_id, f.part,
      exists (select from events e where e.clinic_id = r.clinic_id and e.id = f.event_id) as kept
    from room r cross join lateral (
      select f.event_id, f.part from finished_deliveries f where r.allowed > 0 and
-- include recoverable.sql
      order by f.event_id, f.part limit $4::int) f) l),
picked as materialized (
  select clinic_id, event_id, webhook_id, part, id as recovery_id from looked_at where kept and nth <= allowed),
-- include bring_back.sql
, summed as materialized (
  select clinic_id, webhook_id, id, bool_or(gone) as gone, max(pace) as pace, max(allowed) as allowed,
    sum(moved)::int as moved, sum(seen) < $4::int and not bool_or(is_left) as at_end,
    (array_agg(event_id order by event_id desc, part desc) filter (where event_id is not null))[1] as event_id,
    (array_agg(part order by event_id desc, part desc) filter (where event_id is not null))[1] as part
  from (
    select clinic_id, webhook_id, id, gone, pace, allowed, 0 as moved, 0 as seen, false as is_left, null::uuid as event_id,
      null::smallint as part from room
    union all select clinic_id, webhook_id, id, null, null, null, 0, 1, nth > allowed, case when nth <= allowed then event_id end,
      part from looked_at
    union all select clinic_id, webhook_id, recovery_id, null, null, null, 1, 0, false, null, null from moved) x
  group by 1, 2, 3)
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
