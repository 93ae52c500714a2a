-- EXPIRE: deliveries that outlived the retention of bodies end as "cancelled: expired" (contract §7), a day before their
-- content goes. $1 the operator's days · $2 days that whatever waits is kept at least · $3 rows at most · $4 days since the
-- notice that names them · $5 days for which a notice holds.
-- What no notice named so long ago is left, however old it is (announce_expiring.sql): its content waits for it.
-- What is being sent just now is left to its end. Bells ring, for the next delivery of a subject may be free now.
with announced as materialized (
  select distinct on (n.clinic_id, n.webhook_id) n.clinic_id, n.webhook_id, (n.details::jsonb ->> 'up_to')::bigint as up_to,
    least((n.details::jsonb ->> 'before')::uuid, instant_bound(now()
      - (greatest(least(coalesce(c.retention_days, $1::int), $1::int), $2::int) - 1) * interval '1 day')) as bound
  from notices n join clinics c on c.id = n.clinic_id
  where n.kind = 'deliveries.expiring' and n.created_at > now() - $5::int * interval '1 day'
    and n.created_at <= now() - $4::int * interval '1 day'
  order by n.clinic_id, n.webhook_id, n.id desc),
picked as materialized (
  select d.clinic_id, d.webhook_id, d.id from announced a cross join lateral (
    select x.clinic_id, x.webhook_id, x.id from deliveries x
    where x.clinic_id = a.clinic_id and x.webhook_id = a.webhook_id and x.event_id < a.bound and x.id <= a.up_to and not x.test
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
