-- SETTLE: write what came of a batch of attempts. $1..$21 arrays, one entry per attempt; $22..$29 arrays, one entry per
-- webhook that this node $30 holds: the health of its receiver after these attempts.
-- Fenced on the delivery's own row (fence and attempt): a result whose claim was lost changes nothing there, but leaves its
-- attempt row all the same, marked as late in the same breath; a result of a lost claim that nobody has begun again still counts.
-- One row: the places among the results of those that counted, by whether their subject has another delivery.
with results as materialized (
  select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::uuid[], $5::smallint[], $6::bigint[], $7::smallint[],
      $8::float8[], $9::int[], $10::text[], $11::smallint[], $12::text[], $13::text[], $14::boolean[], $15::bytea[],
      $16::float8[], $17::text[], $18::text[], $19::boolean[], $20::int[], $21::text[]) with ordinality
    as r (clinic_id, webhook_id, id, event_id, part, fence, attempt, started_ms_ago, duration_ms, outcome, status,
      choice_practitioner, choice_patient, body_sent, answer, retry_in_ms, state, reason, test, version, order_key, place)
  order by clinic_id, webhook_id, id),              -- as all who wait for locks take them (store.ts)
finished as (
  delete from deliveries d using results r
  where d.clinic_id = any (array[r.clinic_id]) and d.webhook_id = r.webhook_id and d.id = r.id and d.event_id = r.event_id and d.part = r.part
    and d.order_key = any (array[r.order_key])
    and d.fence = r.fence and d.attempt = r.attempt and r.state is not null
  returning d.clinic_id, d.event_id, d.webhook_id, d.part, d.participants_per_request, d.choice_practitioner, d.choice_patient,
    d.test, d.sequence, d.attempt, r.state, r.reason, d.created_at, d.id, d.order_key, d.recovery_id, r.place),
kept as (
  insert into finished_deliveries (clinic_id, event_id, webhook_id, part, participants_per_request, choice_practitioner,
    choice_patient, test, sequence, attempt, state, reason, created_at, recovery_id)
  select clinic_id, event_id, webhook_id, part, participants_per_request, choice_practitioner,
    choice_patient, test, sequence, attempt, state, reason, created_at, recovery_id from finished),
retried as (
  update deliveries d set begun_at = null, due_at = now() + r.retry_in_ms * interval '1 millisecond',
    choice_practitioner = coalesce(r.choice_practitioner, d.choice_practitioner), -- as narrow as it was really sent
    choice_patient = coalesce(r.choice_patient, d.choice_patient)
  from results r
  where d.clinic_id = any (array[r.clinic_id]) and d.webhook_id = r.webhook_id and d.id = r.id and d.event_id = r.event_id and d.part = r.part
    and d.order_key = any (array[r.order_key])
    and d.fence = r.fence and d.attempt = r.attempt and r.state is null
  returning d.clinic_id, d.webhook_id, d.id, d.attempt, r.place),
counted as materialized (
  select clinic_id, webhook_id, id, attempt from finished union all select clinic_id, webhook_id, id, attempt from retried),
-- A result that did not count is late. One that is written a second time, because nobody could tell whether the first time
-- had been committed, keeps what was said of it then.
noted as (
  insert into attempts as a (clinic_id, event_id, webhook_id, part, attempt, started_at, duration_ms, outcome, status,
    choice_practitioner, choice_patient, body_sent, answer, late)
  select clinic_id, event_id, webhook_id, part, attempt, now() - started_ms_ago * interval '1 millisecond', duration_ms, outcome, status,
    choice_practitioner, choice_patient, body_sent, answer,
    (clinic_id, webhook_id, id, attempt) not in (select clinic_id, webhook_id, id, attempt from counted)
  from results r
  on conflict (clinic_id, event_id, webhook_id, part, attempt) do update set (started_at, duration_ms, outcome, status,
      choice_practitioner, choice_patient, body_sent, answer, late)
    = (excluded.started_at, excluded.duration_ms, excluded.outcome, excluded.status, excluded.choice_practitioner,
      excluded.choice_patient, excluded.body_sent, excluded.answer, case when a.outcome = 'unknown' then excluded.late else a.late end)),
-- A test says nothing of the webhook's health, nor of its address: it may have been made with changes that were never saved.
-- An answer proves the address only where it was asked for under the version that the webhook has now, and the health that
-- its holder tells counts only where it goes back to that version: else it may have come from the old one.
told as materialized (
  select clinic_id, webhook_id, bool_or(failed) as failed, not bool_and(failed) as delivered,
    max(delivered_version) as delivered_version, max(health_fence) as health_fence, max(health_version) as health_version,
    max(failures) as failures, max(failing_ms) as failing_ms, max(probes) as probes, bool_or(parked) as parked
  from ( -- one beside the other and not joined: the planner knows nothing of their sizes
    select clinic_id, webhook_id, state is distinct from 'delivered' as failed,
      case when state = 'delivered' then version end as delivered_version, null::bigint as health_fence,
      null::int as health_version, null::int as failures, null::float8 as failing_ms, null::smallint as probes, null::boolean as parked
    from results where not test
    union all
    select clinic_id, webhook_id, null, null, fence, version, failures, failing_ms, probes, parked
    from unnest($22::bigint[], $23::bigint[], $24::bigint[], $25::int[], $26::int[], $27::float8[], $28::smallint[], $29::boolean[])
      as h (clinic_id, webhook_id, fence, version, failures, failing_ms, probes, parked)) x
  group by 1, 2 having bool_or(failed) is not null),
-- Where one success follows another nothing is to be written but the time, and that once a second: refill.sql waits for
-- whoever has locked a run until he has committed.
locked as materialized (
  select t.* from told t join runs r on r.clinic_id = any (array[t.clinic_id]) and r.webhook_id = t.webhook_id
  where t.failed or not (coalesce(t.failures, 0) = 0 and coalesce(t.probes, 0) = 0 and not coalesce(t.parked, false)
    and r.answered_at is not null and r.failures = 0 and r.probes = 0 and r.parked_at is null
    and coalesce(r.last_delivered_at, '-infinity') > greatest(now() - interval '1 second', r.last_failed_at)
    and r.last_delivered_at < now() + interval '1 minute') -- else the clock was set back
  order by t.clinic_id, t.webhook_id for no key update of r),
seen_by_run as (
  update runs r set
    answered_at = case when s.delivered_version = r.webhook_version then coalesce(r.answered_at, now()) else r.answered_at end,
    last_delivered_at = case when s.delivered then now() else r.last_delivered_at end,
    last_failed_at = case when s.failed then now() else r.last_failed_at end,
    (failures, failing_since, probes, parked_at, recovered_at) = (select
      case when h.counts then h.failures else r.failures end,
      case when not h.counts then r.failing_since
        -- the same moment, told in ms by another clock
        when abs(extract(epoch from now() - r.failing_since) * 1000 - h.failing_ms) < 1000 then r.failing_since
        else now() - h.failing_ms * interval '1 millisecond' end,
      case when h.counts then h.probes else r.probes end,
      case when not h.counts then r.parked_at when h.parked then coalesce(r.parked_at, now()) end,
      case when h.counts and not h.parked and r.parked_at is not null then now() else r.recovered_at end
      from (select coalesce(r.owner = $30::bigint and r.fence = s.health_fence and r.webhook_version = s.health_version, false) as counts,
        s.failures, s.failing_ms, s.probes, s.parked) h)
  from locked s
  where r.clinic_id = any (array[s.clinic_id]) and r.webhook_id = s.webhook_id)
-- followed: a later delivery of the same subject is there. One that commits after this statement's snapshot rings a bell.
select json_agg(place) filter (where has_next) as followed, json_agg(place) filter (where not has_next) as last from (
  select place, exists (select from deliveries e where e.order_key = f.order_key and e.webhook_id = f.webhook_id
    and e.clinic_id is not distinct from f.clinic_id and e.id > f.id) as has_next
  from finished f
  union all
  select place, false from retried) x
