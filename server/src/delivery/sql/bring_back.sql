-- The common middle of resend.sql and recover.sql: finished deliveries named by `picked` come back into the hot table, due at
-- once: the same webhook-id and sequence, one new schedule, attempt numbers go on, outside the order of their subject
-- (contract §7). Taken out first, so that of two who want the same one at the same time one finds nothing.
moved as (
  delete from finished_deliveries f using picked p
  where f.clinic_id = p.clinic_id and f.event_id = p.event_id and f.webhook_id = p.webhook_id and f.part = p.part
  returning f.clinic_id, f.event_id, f.webhook_id, f.part, f.participants_per_request, f.choice_practitioner, f.choice_patient,
    f.test, f.sequence, f.attempt, f.state, f.reason, f.created_at, coalesce(p.recovery_id, f.recovery_id) as recovery_id),
back as (
  insert into deliveries (clinic_id, webhook_id, event_id, part, participants_per_request, order_key, choice_practitioner,
    choice_patient, sequence, attempt, schedule_start, created_at, recovery_id)
  select clinic_id, webhook_id, event_id, part, participants_per_request, 'resend:' || gen_random_uuid(), choice_practitioner,
    choice_patient, sequence, attempt, attempt, created_at, recovery_id
  from moved order by event_id, part),
rung as (insert into bells (clinic_id, webhook_id) select distinct clinic_id, webhook_id from moved)
