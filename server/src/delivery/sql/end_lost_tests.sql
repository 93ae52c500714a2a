-- Tests that were begun and never settled: their process was lost. What came of them is not known; they are not sent again.
with picked as materialized (                      -- another node may be at it
  select clinic_id, webhook_id, id, event_id, part, order_key from deliveries where test and created_at < now() - $1::float8 * interval '1 millisecond'
  for update skip locked),
lost as (
  delete from deliveries d using picked p
  where d.clinic_id = any (array[p.clinic_id]) and d.webhook_id = p.webhook_id and d.id = p.id and d.event_id = p.event_id and d.part = p.part
    and d.order_key = any (array[p.order_key])
  returning d.*),
noted as (
  insert into attempts (clinic_id, event_id, webhook_id, part, attempt, started_at, outcome, choice_practitioner, choice_patient, body_sent)
  select clinic_id, event_id, webhook_id, part, attempt, begun_at, 'unknown', choice_practitioner, choice_patient, true
  from lost where begun_at is not null on conflict do nothing)
insert into finished_deliveries (clinic_id, event_id, webhook_id, part, participants_per_request, choice_practitioner,
  choice_patient, test, attempt, state, reason, created_at)
select clinic_id, event_id, webhook_id, part, participants_per_request, choice_practitioner, choice_patient, true, attempt,
  'given_up', 'test_failed', created_at from lost
