-- What is due is looked for by two kinds of TAKE: of receivers that are well, and of those in doubt (they failed last, or have
-- never answered). Each has its own index, so that many of the one kind never stand in the way of the other.
drop index runs_due;
create index runs_due_healthy on runs (next_at)
  where owner is null and next_at < 'infinity' and failures = 0 and answered_at is not null;
create index runs_due_suspect on runs (next_at)
  where owner is null and next_at < 'infinity' and (failures > 0 or answered_at is null);

-- What events are about, for the statements that begin deliveries. In a function of its own because its plan may be kept:
-- there is one way to look up keys. Planning it anew, over all partitions, took longer than the rest of those statements.
create function contents_of(clinic_ids bigint[], event_ids uuid[])
  returns table (clinic_id bigint, id uuid, name text, subject text, subject_version bigint, facts bytea)
  language plpgsql stable
  set plan_cache_mode = force_generic_plan set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
  as $$
  begin
    return query select e.clinic_id, e.id, e.name, e.subject, e.subject_version, e.facts
      from unnest(clinic_ids, event_ids) as k (clinic_id, id)
        join events e on e.clinic_id = k.clinic_id and e.id = k.id;
  end $$;
