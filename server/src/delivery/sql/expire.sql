-- EXPIRE: deliveries that outlived the retention of bodies end as "cancelled: expired" (contract §7), a day before their
-- content goes. $1 the operator's days · $2 days that whatever waits is kept at least · $3 rows at most.
-- What is being sent just now is left to its end. Bells ring, for the next delivery of a subject may be free now.
with limits as materialized (
  select c.id as clinic_id,
    instant_bound(now() - (greatest(least(coalesce(c.retention_days, $1::int), $1::int), $2::int) - 1) * interval '1 day') as bound
  from clinics c),
picked as materialized (
  select d.clinic_id, d.webhook_id, d.id from limits l cross join lateral (
    select x.clinic_id, x.webhook_id, x.id from deliveries x
    where x.clinic_id = l.clinic_id and x.event_id < l.bound and not x.test
      and (x.begun_at is null or x.begun_at < now() - interval '5 minutes')
    order by x.event_id limit $3::int for update skip locked) d
  limit $3::int),
gone as (
  delete from deliveries d using picked p where d.clinic_id = p.clinic_id and d.webhook_id = p.webhook_id and d.id = p.id
  returning d.*),
-- An attempt whose node was lost and that nobody has begun again: what came of it is not known.
unknown as (
  insert into attempts (clinic_id, event_id, webhook_id, part, attempt, started_at, outcome, body_sent)
  select clinic_id, event_id, webhook_id, part, attempt, begun_at, 'unknown', true from gone where begun_at is not null
  on conflict do nothing),
kept as (
  insert into finished_deliveries (clinic_id, event_id, webhook_id, part, participants_per_request, choice_practitioner,
    choice_patient, test, sequence, attempt, state, reason, created_at)
  select clinic_id, event_id, webhook_id, part, participants_per_request, choice_practitioner,
    choice_patient, test, sequence, attempt, 'cancelled', 'expired', created_at from gone),
rung as (
  insert into bells (clinic_id, webhook_id) select distinct clinic_id, webhook_id from gone)
select clinic_id, webhook_id, count(*)::int as count from gone group by 1, 2
