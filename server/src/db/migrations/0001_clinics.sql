-- Roles, the clinic and its people. Every tenant table's key begins with clinic_id; row-level security is the second
-- wall behind the composite keys: hookwell_app sees one clinic, the one its transaction names.

do $$
declare role_name text;
begin
  foreach role_name in array array['hookwell_app', 'hookwell_dispatch', 'hookwell_auth'] loop
    if not exists (select from pg_roles where rolname = role_name) then
      execute format('create role %I nologin', role_name);
    end if;
    if not pg_has_role(current_user, role_name, 'member') then
      execute format('grant %I to %I', role_name, current_user);
    end if;
  end loop;
exception when duplicate_object or unique_violation then null; -- another database of the same cluster made them just now
end $$;

do $$ begin
  execute format('grant usage on schema %I to hookwell_app, hookwell_dispatch', current_schema());
end $$;

-- The clinic that this transaction acts for; null when none was named, and then no row is visible.
create function current_clinic() returns bigint language sql stable parallel safe
  as $$ select nullif(current_setting('hookwell.clinic_id', true), '')::bigint $$;

create table clinics (
  id bigint generated always as identity primary key,
  name text not null check (length(name) between 1 and 200),
  time_zone text not null,
  currency text not null default 'cad' check (currency ~ '^[a-z]{3}$'),
  locale text not null default 'en' check (locale in ('en', 'fr-CA')),
  has_academy boolean not null default false,
  data_key bytea not null,                         -- the clinic's sealing key, itself wrapped by the master key
  data_key_id uuid not null unique,                -- drawn before the row's id exists; the wrapping is bound to it
  inbox_token text not null unique check (length(inbox_token) >= 32),
  created_at timestamptz not null default now()
);

create table staff (
  clinic_id bigint not null references clinics (id),
  user_id text not null,
  role text not null check (role in ('manager', 'practitioner', 'front_desk')),
  created_at timestamptz not null default now(),
  primary key (clinic_id, user_id)
);
create index staff_by_user on staff (user_id);

-- Which clinics a signed-in person belongs to must be known before any clinic is: the one door around row-level security.
create function clinics_of_user(wanted_user_id text)
  returns table (clinic_id bigint, role text) language sql stable security definer
  as $$ select s.clinic_id, s.role from staff s where s.user_id = wanted_user_id order by s.clinic_id limit 100 $$;
revoke all on function clinics_of_user(text) from public;
grant execute on function clinics_of_user(text) to hookwell_app;

create table practitioners (
  clinic_id bigint not null references clinics (id),
  id bigint generated always as identity,
  name text not null check (length(name) between 1 and 200),
  email text not null check (length(email) between 3 and 254),
  created_at timestamptz not null default now(),
  primary key (clinic_id, id)
);

create table patients (
  clinic_id bigint not null references clinics (id),
  id bigint generated always as identity,
  name text not null check (length(name) between 1 and 200),
  email text check (length(email) between 3 and 254),
  -- The name without accents and case, made by the program, so that search and order do not depend on the database's locale.
  name_folded text collate "C" not null check (length(name_folded) <= 1000),
  created_at timestamptz not null default now(),
  primary key (clinic_id, id)
);
create index patients_by_name on patients (clinic_id, name_folded, id);

create table services (
  clinic_id bigint not null references clinics (id),
  id bigint generated always as identity,
  name text not null check (length(name) between 1 and 200),
  kind text not null check (kind in ('one_to_one', 'group', 'class')),
  duration_minutes integer not null check (duration_minutes between 1 and 1440),
  capacity integer check (capacity between 1 and 1000),
  created_at timestamptz not null default now(),
  primary key (clinic_id, id),
  check (kind <> 'one_to_one' or capacity is null or capacity = 1)
);

create table consults (
  clinic_id bigint not null references clinics (id),
  id bigint generated always as identity,
  service_id bigint not null,
  practitioner_id bigint not null,
  starts_at timestamptz not null,
  duration_minutes integer not null check (duration_minutes between 1 and 1440),
  cancelled_at timestamptz,
  room text check (length(room) <= 200),
  notes text check (length(notes) <= 10000),
  created_at timestamptz not null default now(),
  primary key (clinic_id, id),
  foreign key (clinic_id, service_id) references services (clinic_id, id),
  foreign key (clinic_id, practitioner_id) references practitioners (clinic_id, id)
);
create index consults_by_start on consults (clinic_id, starts_at, id);

create table consult_participants (
  clinic_id bigint not null,
  consult_id bigint not null,
  patient_id bigint not null,
  place bigint generated always as identity,       -- the order in which patients joined
  status text not null default 'booked' check (status in ('booked', 'held', 'wait_listed')),
  arrival text not null default 'expected' check (arrival in ('expected', 'arrived', 'no_show')),
  primary key (clinic_id, consult_id, patient_id),
  foreign key (clinic_id, consult_id) references consults (clinic_id, id) on delete cascade,
  foreign key (clinic_id, patient_id) references patients (clinic_id, id)
);
create index consult_participants_by_patient on consult_participants (clinic_id, patient_id);

-- Answers to POSTs that carried an Idempotency-Key, kept 7 days; written in the transaction of the change itself.
create table idempotency_keys (
  clinic_id bigint not null references clinics (id),
  key_hash bytea not null,
  request_hash bytea not null,
  status smallint,
  answer bytea,                                    -- sealed
  created_at timestamptz not null default now(),
  primary key (clinic_id, key_hash)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);

-- Who changed what in the configuration; append-only.
create table audit (
  clinic_id bigint not null references clinics (id),
  id bigint generated always as identity,
  at timestamptz not null default now(),
  actor text not null,
  action text not null,
  target text not null,
  before text,                                     -- JSON; addresses, header values and secrets masked
  after text,
  primary key (clinic_id, id)
);

do $$
declare table_name text;
begin
  foreach table_name in array array['staff', 'practitioners', 'patients', 'services', 'consults', 'consult_participants',
      'idempotency_keys', 'audit'] loop
    execute format('alter table %I enable row level security, force row level security', table_name);
    execute format('create policy of_this_clinic on %I to hookwell_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic())', table_name);
    -- FORCE binds the owner too: the owner (operator and migrations) is named here so that nothing is open by accident.
    execute format('create policy of_the_owner on %I to %I using (true) with check (true)', table_name, current_user);
  end loop;
end $$;
alter table clinics enable row level security, force row level security;
create policy of_this_clinic on clinics to hookwell_app using (id = current_clinic());
do $$ begin execute format('create policy of_the_owner on clinics to %I using (true) with check (true)', current_user); end $$;
create policy of_the_sender on clinics for select to hookwell_dispatch using (true);

grant select on clinics to hookwell_app;
grant select (id, name, time_zone, locale, data_key, data_key_id) on clinics to hookwell_dispatch;
grant select, insert, update, delete on staff, practitioners, patients, services, consults, consult_participants,
  idempotency_keys to hookwell_app;
grant select, insert on audit to hookwell_app;
