-- ERASE BODIES: what was sent is no longer kept where a clinic keeps it for a shorter time than the partitions stand, as
-- soon as no delivery waits for it. $1 the operator's days · $2 days that the partitions stand · $3 rows at most.
with limits as materialized (
  select id as clinic_id, instant_bound(now() - days * interval '1 day') as bound
  from (select id, least(coalesce(retention_days, $1::int), $1::int) as days from clinics) c where days < $2::int),
picked as materialized (
  select p.clinic_id, p.id from limits l cross join lateral (
    select e.clinic_id, e.id from events e
    where e.clinic_id = l.clinic_id and e.id < l.bound and e.facts is not null
      and not exists (select from deliveries d where d.clinic_id = e.clinic_id and d.event_id = e.id)
    order by e.id limit $3::int) p
  limit $3::int)
update events e set facts = null from picked p where e.clinic_id = p.clinic_id and e.id = p.id
