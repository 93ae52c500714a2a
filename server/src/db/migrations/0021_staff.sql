-- Second factor (better-auth's table and column, as its getMigrations wrote them), counted tries, and invitations of staff.

alter table auth."user" add column "twoFactorEnabled" boolean;

-- One password a person, also when two links are followed at the same moment.
create unique index account_once on auth."account" ("userId", "providerId");

create table auth."twoFactor" ("id" text not null primary key, "secret" text not null, "backupCodes" text not null, "userId" text not null references auth."user" ("id") on delete cascade, "verified" boolean, "failedVerificationCount" integer, "lockedUntil" timestamptz);
create index "twoFactor_secret_idx" on auth."twoFactor" ("secret");
create index "twoFactor_userId_idx" on auth."twoFactor" ("userId");

-- Tries per account, on every node together. The key is an HMAC of what is tried and for whom: no address stands here.
create table auth.attempts (
  key bytea primary key check (length(key) = 32),
  began_at timestamptz not null default now(),
  ends_at timestamptz not null,
  count integer not null default 1 check (count >= 1)
);
create index attempts_by_end on auth.attempts (ends_at);

grant select, insert, update, delete on auth."twoFactor", auth.attempts to hookwell_auth;

-- Open invitations; one that was accepted or withdrawn is deleted, and the audit keeps what became of it.
create table invitations (
  clinic_id bigint not null references clinics (id),
  id bigint generated always as identity,
  email text not null check (length(email) between 3 and 254),
  role text not null check (role in ('manager', 'practitioner', 'front_desk')),
  token_hash bytea not null unique check (length(token_hash) = 32),   -- SHA-256; the link itself is kept nowhere
  invited_by text not null,
  letter text not null default 'waiting' check (letter in ('waiting', 'sent', 'failed', 'none')),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  primary key (clinic_id, id),
  unique (clinic_id, email)
);

alter table invitations enable row level security, force row level security;
create policy of_this_clinic on invitations to hookwell_app
  using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
do $$ begin execute format('create policy of_the_owner on invitations to %I using (true) with check (true)', current_user); end $$;
grant select, insert, update, delete on invitations to hookwell_app;

-- Whoever follows an invitation's link belongs to no clinic yet: the link says which one.
create function invitation_of(wanted_hash bytea)
  returns table (clinic_id bigint, clinic_name text, locale text, id bigint, email text, role text)
  language sql stable security definer
  as $$
    select c.id, c.name, c.locale, i.id, i.email, i.role from invitations i join clinics c on c.id = i.clinic_id
    where i.token_hash = wanted_hash and i.expires_at > now()
  $$;

-- The staff of the transaction's own clinic, with what their accounts say of them and nothing of anybody else's.
create function people_of_clinic()
  returns table (user_id text, name text, email text, second_factor boolean, role text, created_at timestamptz)
  language sql stable security definer
  as $$
    select s.user_id, u."name", u."email", coalesce(u."twoFactorEnabled", false), s.role, s.created_at
    from staff s join auth."user" u on u."id" = s.user_id
    where s.clinic_id = current_clinic() order by u."name", s.user_id limit 1000
  $$;

-- A person whose role was changed or taken away begins a new session: the old ones of this clinic end with the change.
create function end_sessions_of(wanted_user_id text) returns void language sql security definer
  as $$
    delete from auth."session" where "userId" = wanted_user_id and "activeClinicId" = current_clinic()::text
  $$;

-- Which of a person's clinics is which, for switching between them.
create function clinic_names_of_user(wanted_user_id text)
  returns table (clinic_id bigint, name text, locale text, role text) language sql stable security definer
  as $$
    select c.id, c.name, c.locale, s.role from staff s join clinics c on c.id = s.clinic_id
    where s.user_id = wanted_user_id order by c.name, c.id limit 100
  $$;

do $$
declare signature text;
begin
  foreach signature in array array['invitation_of(bytea)', 'people_of_clinic()', 'end_sessions_of(text)',
      'clinic_names_of_user(text)'] loop
    execute format('revoke all on function %s from public', signature);
    execute format('grant execute on function %s to hookwell_app', signature);
    execute format('alter function %s set search_path = %I, pg_temp', signature, current_schema());
  end loop;
end $$;
