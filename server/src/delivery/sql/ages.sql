-- AGES: what tells that the engine falls behind, or will. Costs a look at one row per webhook that is due, held or rung.
-- snapshot: the oldest one that anybody holds; what changed since then cannot be cleaned up, and every scan reads past it.
--   Sessions of other users are seen by a superuser or a member of pg_monitor only.
-- due: how long the delivery that is due first has waited, of webhooks that are on, neither parked nor without a lease.
select
  (select coalesce(max(extract(epoch from now() - a.xact_start)), 0)::float8 from pg_stat_activity a
    where a.datname = current_database() and a.backend_xmin is not null and a.pid <> pg_backend_pid()) as snapshot_seconds,
  (select coalesce(max(age(x.xmin)), 0)::float8 from (
    select backend_xmin as xmin from pg_stat_activity where backend_xmin is not null
    union all select xmin from pg_replication_slots where xmin is not null
    union all select transaction from pg_prepared_xacts) x) as snapshot_transactions,
  (select coalesce(max(extract(epoch from now() - d.due_at)), 0)::float8
    from (select clinic_id, webhook_id from runs where owner is not null
        union select clinic_id, webhook_id from runs where owner is null and next_at <= now() and next_at < 'infinity'
        union select clinic_id, webhook_id from bells) b
      join runs r on r.clinic_id = b.clinic_id and r.webhook_id = b.webhook_id and r.parked_at is null
      join webhooks w on w.clinic_id = b.clinic_id and w.id = b.webhook_id and w.enabled and not w.paused and w.deleted_at is null
      -- heads alone: what waits for an earlier one of its subject is not behind
      cross join lateral (select h.due_at from (
          select x.clinic_id, x.webhook_id, x.id, x.order_key, x.due_at from deliveries x
          where x.clinic_id = b.clinic_id and x.webhook_id = b.webhook_id order by x.id limit 200) h
        where h.due_at <= now() and not exists (select from deliveries e where e.clinic_id = h.clinic_id
          and e.webhook_id = h.webhook_id and e.order_key = h.order_key and e.id < h.id)
        order by h.id limit 1) d) as due_seconds
