-- SWEEP: webhooks that sleep without an end although something waits for them. There should never be one: whoever calls this
-- raises an alarm when it finds any (engine.md).
with sleepers as materialized (
  select r.clinic_id, r.webhook_id from runs r join webhooks w on w.clinic_id = any (array[r.clinic_id]) and w.id = any (array[r.webhook_id])
  where r.owner is null and r.next_at = 'infinity' and w.enabled and not w.paused and w.deleted_at is null
    -- ordered, so that they are looked up by clinic and webhook, as in begin.sql
    and exists (select from (select from deliveries d where d.clinic_id = r.clinic_id and d.webhook_id = r.webhook_id
      and d.due_at < 'infinity' order by d.id limit 1) x)
    and not exists (select from bells b where b.clinic_id = any (array[r.clinic_id]) and b.webhook_id = r.webhook_id)
  for no key update of r skip locked)
update runs r set next_at = now() from sleepers s where r.clinic_id = any (array[s.clinic_id]) and r.webhook_id = s.webhook_id
returning r.clinic_id, r.webhook_id
