-- DUE: recoveries whose next batch has come, the longest overdue first. $1 at most
-- While its webhook is off or parked a recovery is simply not due; one whose webhook was deleted is, so that it ends.
select r.clinic_id, r.webhook_id, r.id, r.states, r.cursor_event_id, r.cursor_part, r.until_event_id,
  r.created_at::text as created_at                 -- to the microsecond
from recoveries r
  join webhooks w on w.clinic_id = r.clinic_id and w.id = r.webhook_id
  join runs n on n.clinic_id = r.clinic_id and n.webhook_id = r.webhook_id
where r.state = 'running' and r.next_at <= now() and (w.deleted_at is not null or (w.enabled and not w.paused and n.parked_at is null))
order by r.next_at limit $1::int
