-- REST: webhooks that are off, or whose sending the operator paused, stay out of what is due, however much waits for them. Turning one on, or resuming, rings its bell.
-- Parked ones hear no bell: every probe looks at everything from the start, and so does the scan after the first success.
-- It waits for nobody: what is locked is for the next time (store.ts).
with silent as materialized (                      -- bells nobody answers; every TAKE would look at them
  select b.clinic_id, b.webhook_id, b.id from bells b
    join webhooks w on w.clinic_id = any (array[b.clinic_id]) and w.id = any (array[b.webhook_id]) -- looked up by its key, as in begin.sql
    left join runs r on r.clinic_id = any (array[b.clinic_id]) and r.webhook_id = b.webhook_id
  where not w.enabled or w.paused or w.deleted_at is not null or (r.parked_at is not null and r.owner is null)
  for update of b skip locked),
silenced as (
  delete from bells b using silent s where b.clinic_id = any (array[s.clinic_id]) and b.webhook_id = s.webhook_id and b.id = s.id),
resting as materialized (
  select r.clinic_id, r.webhook_id from runs r join webhooks w on w.clinic_id = any (array[r.clinic_id]) and w.id = any (array[r.webhook_id])
  where r.owner is null and r.next_at <= now() and r.next_at < 'infinity' and (not w.enabled or w.paused or w.deleted_at is not null)
  for no key update of r skip locked)
update runs r set next_at = 'infinity' from resting s where r.clinic_id = any (array[s.clinic_id]) and r.webhook_id = s.webhook_id
