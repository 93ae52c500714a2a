-- ERASE ANSWERS: as erase_bodies.sql, for what receivers answered, which may quote what they were sent. By themselves, for a
-- late result may still bring one after its event's body has gone.
with limits as materialized (
  select id as clinic_id, instant_bound(now() - days * interval '1 day') as bound
  from (select id, least(coalesce(retention_days, $1::int), $1::int) as days from clinics) c where days < $2::int),
picked as materialized (
  select p.* from limits l cross join lateral (
    select a.clinic_id, a.event_id, a.webhook_id, a.part, a.attempt from attempts a
    where a.clinic_id = l.clinic_id and a.event_id < l.bound and a.answer is not null
      and not exists (select from deliveries d where d.clinic_id = a.clinic_id and d.event_id = a.event_id)
    order by a.event_id limit $3::int) p
  limit $3::int)
update attempts a set answer = null from picked p
where a.clinic_id = p.clinic_id and a.event_id = p.event_id and a.webhook_id = p.webhook_id and a.part = p.part and a.attempt = p.attempt
