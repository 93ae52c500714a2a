-- The engine's tables. Unfinished work is small and hot (deliveries); what is finished and what was tried is
-- insert-only and partitioned by the day inside the event's UUIDv7, so that retention drops partitions.

create table subjects (
  clinic_id bigint not null references clinics (id),
  subject text not null check (length(subject) between 3 and 200),
  version bigint not null,
  primary key (clinic_id, subject)
) with (fillfactor = 70);

create table events (
  clinic_id bigint not null,
  id uuid not null,                                -- version 7: its first 48 bits are the day it belongs to
  name text not null,
  subject text not null,
  subject_version bigint not null,
  test boolean not null default false,
  occurred_at timestamptz not null default now(),
  facts bytea not null,                            -- sealed JSON text
  primary key (clinic_id, id)
) partition by range (id);

create table deliveries (
  clinic_id bigint not null,
  webhook_id bigint not null,
  id bigint generated always as identity,          -- drawn under the subject's lock: its order is the commit order of a subject
  event_id uuid not null,
  part smallint not null default 0,
  participants_per_request smallint not null,
  order_key text not null,                         -- the subject; a key of its own for tests and resends, which run outside the order
  choice_practitioner text not null check (choice_practitioner in ('off', 'id', 'all')),
  choice_patient text not null check (choice_patient in ('off', 'id', 'all')),
  test boolean not null default false,
  sequence bigint,                                 -- given at the first attempt, kept for ever; tests carry none
  attempt smallint not null default 0,             -- attempts begun so far, over all schedules
  schedule_start smallint not null default 0,      -- attempts that belong to earlier schedules (before a resend)
  due_at timestamptz not null default now(),
  begun_at timestamptz,                            -- set while an attempt is under way or its outcome is unknown
  fence bigint,
  created_at timestamptz not null default now(),
  primary key (clinic_id, webhook_id, id),
  check ((begun_at is null) or (fence is not null and attempt > 0)),
  check (attempt >= schedule_start)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);
create index deliveries_by_order_key on deliveries (clinic_id, webhook_id, order_key, id);
create unique index deliveries_by_event on deliveries (clinic_id, event_id, webhook_id, part);

create index deliveries_tests on deliveries (created_at) where test;

create table runs (                                -- one row a webhook, the engine's alone
  clinic_id bigint not null,
  webhook_id bigint not null,
  fence bigint not null default 0,
  owner bigint,
  next_at timestamptz not null default 'infinity',
  next_sequence bigint not null default 1,
  answered_at timestamptz,                         -- first 2xx of this address; until then one request at a time
  last_delivered_at timestamptz,
  last_failed_at timestamptz,
  primary key (clinic_id, webhook_id)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
create index runs_due on runs (next_at) where owner is null and next_at < 'infinity';
create index runs_owned on runs (owner) where owner is not null;

create table bells (
  clinic_id bigint not null,
  webhook_id bigint not null,
  id bigint generated always as identity,
  primary key (clinic_id, webhook_id, id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

create table nodes (
  id bigint generated always as identity primary key,
  name text not null,
  alive_until timestamptz not null
);

create table attempts (
  clinic_id bigint not null,
  event_id uuid not null,
  webhook_id bigint not null,
  part smallint not null,
  attempt smallint not null,
  started_at timestamptz not null,
  duration_ms integer,
  outcome text not null,
  status smallint,
  choice_practitioner text,                        -- what was really sent: the narrower of then and now; null where nothing is known
  choice_patient text,
  body_sent boolean not null,                      -- false: refused before any byte of the body left
  answer bytea,                                    -- sealed JSON: answer text, headers, detail
  late boolean not null default false,             -- the result of a claim that had been lost meanwhile
  primary key (clinic_id, event_id, webhook_id, part, attempt)
) partition by range (event_id);

create table finished_deliveries (
  clinic_id bigint not null,
  event_id uuid not null,
  webhook_id bigint not null,
  part smallint not null,
  participants_per_request smallint not null,
  choice_practitioner text not null,
  choice_patient text not null,
  test boolean not null,
  sequence bigint,
  attempt smallint not null,
  state text not null check (state in ('delivered', 'given_up', 'cancelled')),
  reason text check (reason in ('off', 'deleted', 'erased', 'expired', 'not_shared', 'schedule_ended', 'refused_by_receiver', 'test_failed')),
  created_at timestamptz not null,
  finished_at timestamptz not null default now(),
  primary key (clinic_id, event_id, webhook_id, part),
  check ((state = 'delivered') = (reason is null))
) partition by range (event_id);
create index finished_deliveries_by_webhook on finished_deliveries (clinic_id, webhook_id, event_id);

-- The smallest UUIDv7 of a day (UTC): the bound of that day's partitions.
create function day_bound(day date) returns uuid language sql immutable
  as $$ select (lpad(to_hex((extract(epoch from day::timestamp) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid $$;

-- Makes the partitions of the given days where they are missing; safe to call from several nodes at once.
-- A row whose day has none yet goes to the default partition, so that an accepted change is never refused for it.
create function make_partitions(from_day date, to_day date) returns integer language plpgsql security definer
  set lock_timeout = '2s' as $$
declare parent text; day date; child text; made integer := 0;
begin
  perform pg_advisory_xact_lock(hashtext('hookwell partitions'));
  foreach parent in array array['events', 'attempts', 'finished_deliveries'] loop
    day := from_day;
    while day <= to_day loop
      child := parent || '_' || to_char(day, 'YYYYMMDD');
      if to_regclass(child) is null then
        execute format('create table %I partition of %I for values from (%L) to (%L)', child, parent, day_bound(day), day_bound(day + 1));
        made := made + 1;
      end if;
      day := day + 1;
    end loop;
  end loop;
  return made;
end $$;
revoke all on function make_partitions(date, date) from public;
grant execute on function make_partitions(date, date) to hookwell_dispatch;
create table events_other partition of events default;
create table attempts_other partition of attempts default;
create table finished_deliveries_other partition of finished_deliveries default;

do $$
declare table_name text;
begin
  foreach table_name in array array['subjects', 'events', 'deliveries', 'runs', 'bells', 'attempts', 'finished_deliveries'] loop
    execute format('alter table %I enable row level security, force row level security', table_name);
    execute format('create policy of_this_clinic on %I to hookwell_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic())', table_name);
    execute format('create policy of_the_owner on %I to %I using (true) with check (true)', table_name, current_user);
    execute format('create policy of_the_sender on %I to hookwell_dispatch using (true) with check (true)', table_name);
  end loop;
end $$;

grant select, insert, update on subjects to hookwell_app;
grant select, insert on events to hookwell_app;
grant select, insert, delete on deliveries to hookwell_app;
grant select, insert on finished_deliveries, attempts to hookwell_app;
grant delete on finished_deliveries to hookwell_app;          -- a resend takes the row back into the hot table
grant select, insert, update on runs to hookwell_app;
grant insert on bells to hookwell_app;
grant select on events to hookwell_dispatch;
grant select, update, delete on deliveries to hookwell_dispatch;
grant select, insert, update on runs to hookwell_dispatch;
grant select, insert, delete on bells to hookwell_dispatch;
grant select, insert, update on attempts, finished_deliveries to hookwell_dispatch;
grant select, insert, update, delete on nodes to hookwell_dispatch;

-- Functions that run with their owner's rights look names up in this schema only, and in pg_temp last.
do $$
declare signature text;
begin
  foreach signature in array array['clinics_of_user(text)', 'clinic_of_inbox(text)', 'make_partitions(date, date)'] loop
    execute format('alter function %s set search_path = %I, pg_temp', signature, current_schema());
  end loop;
end $$;
