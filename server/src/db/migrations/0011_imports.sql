-- Imports of patients, consults and invoices from a CSV file: what was asked for, how far it is, and what came of it.

create table imports (
  clinic_id bigint not null references clinics (id),
  id bigint generated always as identity,
  kind text not null check (kind in ('patients', 'consults', 'invoices')),
  -- checking → ready | refused; ready → importing → done | refused; failed: a bug; expired: never started
  state text not null check (state in ('checking', 'ready', 'refused', 'importing', 'done', 'failed', 'expired')),
  send_events boolean not null default false,
  file bytea,                                      -- sealed; gone as soon as it is not needed any more
  lines integer not null check (lines between 1 and 20000),
  records_count integer not null default 0,        -- made, or to be made
  events_count integer not null default 0,         -- sent, or to be sent if that is asked for
  errors_count integer not null default 0,
  errors bytea,                                    -- sealed JSON list
  failures integer not null default 0,
  due_at timestamptz,                              -- when the scheduler shall look at it; null: it waits for a person, or is over
  created_by text not null,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  primary key (clinic_id, id),
  check ((state in ('checking', 'ready', 'importing')) = (file is not null)),
  check ((state in ('checking', 'importing')) = (due_at is not null)),
  check ((state in ('checking', 'ready', 'importing')) = (finished_at is null))
);
create index imports_due on imports (due_at) where due_at is not null;
create index imports_by_age on imports (created_at);

-- Told from outside the import's own transaction, so that a page can show it while that runs.
create table import_progress (
  clinic_id bigint not null,
  import_id bigint not null,
  done_lines integer not null default 0,
  primary key (clinic_id, import_id),
  foreign key (clinic_id, import_id) references imports (clinic_id, id) on delete cascade
);

do $$
declare table_name text;
begin
  foreach table_name in array array['imports', 'import_progress'] loop
    execute format('alter table %I enable row level security, force row level security', table_name);
    execute format('create policy of_this_clinic on %I to hookwell_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic())', table_name);
    execute format('create policy of_the_owner on %I to %I using (true) with check (true)', table_name, current_user);
  end loop;
end $$;
grant select, insert, update on imports, import_progress to hookwell_app;

-- One more kind of work for the scheduler.
create function due_imports(at timestamptz, clinics_max integer)
  returns table (clinic_id bigint) language sql stable security definer
  as $$
    select i.clinic_id from imports i where i.due_at <= at
    group by i.clinic_id order by min(i.due_at), i.clinic_id limit clinics_max
  $$;
revoke all on function due_imports(timestamptz, integer) from public;
alter function due_clinics(text, timestamptz, integer) rename to due_clinics_before_imports;
create function due_clinics(work text, at timestamptz, clinics_max integer)
  returns table (clinic_id bigint) language sql stable security definer
  as $$
    select clinic_id from due_imports(at, clinics_max) where work = 'imports'
    union all
    select clinic_id from due_clinics_before_imports(work, at, clinics_max) where work <> 'imports'
  $$;
revoke all on function due_clinics(text, timestamptz, integer) from public;
grant execute on function due_clinics(text, timestamptz, integer) to hookwell_app;
do $$
declare signature text;
begin
  foreach signature in array array['due_imports(timestamptz, integer)', 'due_clinics(text, timestamptz, integer)',
      'due_clinics_before_imports(text, timestamptz, integer)'] loop
    execute format('alter function %s set search_path = %I, pg_temp', signature, current_schema());
  end loop;
end $$;
