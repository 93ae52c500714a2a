-- Patients who sign in on a clinic's portal: apart from staff in table, cookie and function.

-- Until then nobody has shown that the e-mail is his, and the account opens nothing.
alter table portal_accounts add column confirmed_at timestamptz;
grant update (confirmed_at, password_hash) on portal_accounts to hookwell_app;

create table portal_sessions (
  clinic_id bigint not null references clinics (id),
  id bigint generated always as identity,
  account_id bigint not null,
  token_hash bytea not null check (length(token_hash) = 32),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  primary key (clinic_id, id),
  unique (clinic_id, token_hash),
  foreign key (clinic_id, account_id) references portal_accounts (clinic_id, id) on delete cascade
);
create index portal_sessions_by_account on portal_sessions (clinic_id, account_id);

-- Links of letters to patients: each opens once, for a short time.
create table portal_links (
  clinic_id bigint not null references clinics (id),
  id bigint generated always as identity,
  account_id bigint not null,
  purpose text not null check (purpose in ('confirm', 'reset')),
  token_hash bytea not null check (length(token_hash) = 32),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  primary key (clinic_id, id),
  unique (clinic_id, token_hash),
  foreign key (clinic_id, account_id) references portal_accounts (clinic_id, id) on delete cascade
);
create index portal_links_by_account on portal_links (clinic_id, account_id);

do $$
declare table_name text;
begin
  foreach table_name in array array['portal_sessions', 'portal_links'] loop
    execute format('alter table %I enable row level security, force row level security', table_name);
    execute format('create policy of_this_clinic on %I to hookwell_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic())', table_name);
    execute format('create policy of_the_owner on %I to %I using (true) with check (true)', table_name, current_user);
  end loop;
end $$;
grant select, insert, delete on portal_sessions, portal_links to hookwell_app;
