-- REST: webhooks that are off, or whose sending the operator paused, stay out of what is due, however much waits for them. Turning one on, or resuming, rings its bell.
-- Parked ones hear no bell: every probe looks at everything from the start, and so does the scan after the first success.
with unheard as (
  delete from bells b using runs r
  where r.clinic_id = b.clinic_id and r.webhook_id = b.webhook_id and r.parked_at is not null and r.owner is null),
silenced as (                                      -- bells nobody answers; every TAKE would look at them
  delete from bells b using webhooks w
  where w.clinic_id = b.clinic_id and w.id = b.webhook_id and (not w.enabled or w.paused or w.deleted_at is not null))
update runs r set next_at = 'infinity'
from webhooks w
where r.owner is null and r.next_at <= now() and r.next_at < 'infinity'
  and w.clinic_id = r.clinic_id and w.id = r.webhook_id and (not w.enabled or w.paused or w.deleted_at is not null)
