-- Clinic Academy: courses and webinars, who has a place in them, and checkouts. The portal: its name, and patients' accounts.

create table academy_items (
  clinic_id bigint not null references clinics (id),
  id bigint generated always as identity,
  type text not null check (type in ('course', 'webinar')),
  name text not null check (length(name) between 1 and 200),
  price_minor bigint not null check (price_minor >= 0),
  tax_rate_thousandths integer not null check (tax_rate_thousandths between 0 and 100000), -- of a percent
  currency text not null check (currency ~ '^[a-z]{3}$'),
  starts_at timestamptz,                           -- of a webinar; null while no time is fixed
  active boolean not null default true,            -- can be sold and granted at the desk
  created_at timestamptz not null default now(),
  primary key (clinic_id, id),
  check (type = 'webinar' or starts_at is null)
);

-- A patient × resource, from the first checkout or access on and for good: its id is the one in the subjects
-- course-access:<id> and webinar-access:<id> (contract §7), and its row is what concurrent changes wait for.
create table academy_places (
  clinic_id bigint not null,
  id bigint generated always as identity,
  item_id bigint not null,
  patient_id bigint not null,
  own_access text check (own_access in ('bought', 'free', 'granted')),
  through_membership boolean not null default false,
  participant_since timestamptz,                   -- null: the patient has no access (any more)
  created_at timestamptz not null default now(),
  primary key (clinic_id, id),
  unique (clinic_id, item_id, patient_id),
  foreign key (clinic_id, item_id) references academy_items (clinic_id, id),
  foreign key (clinic_id, patient_id) references patients (clinic_id, id),
  check ((own_access is null and not through_membership) = (participant_since is null))
);
create index academy_places_by_patient on academy_places (clinic_id, patient_id);

create table academy_checkouts (
  clinic_id bigint not null,
  id bigint generated always as identity,
  place_id bigint not null,
  state text not null default 'open' check (state in ('open', 'completed', 'expired')),
  -- The price as it was when the session was created: an item that is changed later changes nothing here.
  subtotal_minor bigint not null check (subtotal_minor >= 0),
  taxes_minor bigint not null check (taxes_minor >= 0),
  total_minor bigint not null check (total_minor = subtotal_minor + taxes_minor),
  currency text not null check (currency ~ '^[a-z]{3}$'),
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  primary key (clinic_id, id),
  foreign key (clinic_id, place_id) references academy_places (clinic_id, id)
);
-- Whatever a command forgets: one open session for a patient and an item.
create unique index academy_checkouts_open on academy_checkouts (clinic_id, place_id) where state = 'open';
create index academy_checkouts_by_place on academy_checkouts (clinic_id, place_id);
create index academy_checkouts_due on academy_checkouts (expires_at) where state = 'open';

-- The subjects are shared with events that other software feeds: a place takes its own when it is made, and draws another
-- id while that one is taken.
create function take_place_subject() returns trigger language plpgsql security definer as $$
declare
  kind text := (select i.type from academy_items i where i.clinic_id = new.clinic_id and i.id = new.item_id);
begin
  loop
    -- An unknown item has no type; its foreign key refuses the row.
    exit when kind is null;
    insert into subjects (clinic_id, subject, version) values (new.clinic_id, kind || '-access:' || new.id, 0) on conflict do nothing;
    exit when found;
    new.id := nextval(pg_get_serial_sequence('academy_places', 'id'));
  end loop;
  return new;
end $$;
create trigger take_place_subject before insert on academy_places for each row execute function take_place_subject();

-- The clinic's name in the portal's address, /portal/<portal_name>.
alter table clinics add column portal_name text not null unique default 'clinic-' || gen_random_uuid()
  check (portal_name ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(portal_name) between 3 and 60);

-- A visitor of the portal has no session: which clinic the address names must be known before any clinic is.
create function clinic_of_portal(wanted_name text)
  returns table (clinic_id bigint, name text, locale text) language sql stable security definer
  as $$ select c.id, c.name, c.locale from clinics c where c.portal_name = wanted_name $$;
revoke all on function clinic_of_portal(text) from public;
grant execute on function clinic_of_portal(text) to hookwell_app;

create table portal_accounts (
  clinic_id bigint not null references clinics (id),
  id bigint generated always as identity,
  patient_id bigint not null,
  email_folded text collate "C" not null check (length(email_folded) between 3 and 1000),
  password_hash text not null check (length(password_hash) between 32 and 300),
  created_at timestamptz not null default now(),
  primary key (clinic_id, id),
  unique (clinic_id, email_folded),
  unique (clinic_id, patient_id),
  foreign key (clinic_id, patient_id) references patients (clinic_id, id)
);

do $$
declare table_name text;
begin
  foreach table_name in array array['academy_items', 'academy_places', 'academy_checkouts', 'portal_accounts'] loop
    execute format('alter table %I enable row level security, force row level security', table_name);
    execute format('create policy of_this_clinic on %I to hookwell_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic())', table_name);
    execute format('create policy of_the_owner on %I to %I using (true) with check (true)', table_name, current_user);
  end loop;
end $$;

grant select, insert, update on academy_items, academy_places, academy_checkouts to hookwell_app;
grant select, insert on portal_accounts to hookwell_app;

-- Functions that run with their owner's rights look names up in this schema only, and in pg_temp last.
do $$
declare signature text;
begin
  foreach signature in array array['take_place_subject()', 'clinic_of_portal(text)'] loop
    execute format('alter function %s set search_path = %I, pg_temp', signature, current_schema());
  end loop;
end $$;

-- Behind that: nobody but the owner needs tables of a session's own, so no role can put one in the place of ours. Where the
-- database belongs to another user, that user must do it.
do $$ begin
  if (select pg_has_role(current_user, d.datdba, 'usage') from pg_database d where d.datname = current_database()) then
    execute format('revoke temporary on database %I from public', current_database());
  end if;
end $$;
