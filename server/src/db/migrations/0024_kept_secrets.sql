-- Secrets of the server itself, wrapped by the master key as the clinics' data keys are, so that a rotation of the master
-- key leaves them what they are: whoever is signed in stays so, and second factors go on opening.
create table kept_secrets (
  name text primary key check (name ~ '^[a-z_]{1,60}$'),
  secret bytea not null,                           -- wrapped by the master key, bound to the name
  created_at timestamptz not null default now()
);
-- For the owner alone: no role of the program's requests has any right to it.
revoke all on kept_secrets from public;
alter table kept_secrets enable row level security, force row level security;
do $$ begin execute format('create policy of_the_owner on kept_secrets to %I using (true) with check (true)', current_user); end $$;
