-- The embedded page: another software shows our page inside its own, for one of its users, for an hour at most.

-- A key with the scope `embed` makes its sessions, and names the pages that may hold the frame.
alter table api_keys drop constraint api_keys_scopes_check;
alter table api_keys
  add column embed_origins text[],                   -- `https://host` or with a port; loopback in development
  add column frame_id text unique check (frame_id ~ '^[A-Za-z0-9_-]{22}$'), -- of the frame's address; random, and no secret
  add constraint api_keys_scopes_check
    check (scopes <@ array['feed', 'deliveries:pull', 'embed'] and cardinality(scopes) >= 1),
  add constraint api_keys_embed_check check (('embed' = any (scopes)) = (embed_origins is not null)
    and ('embed' = any (scopes)) = (frame_id is not null)),
  -- They become part of a header, so nothing else may stand there.
  add constraint api_keys_embed_origins_check check (cardinality(embed_origins) between 1 and 10
    and array_to_string(embed_origins, ' ') ~ '^(https?://([a-z0-9.-]{1,253}|\[::1\])(:[0-9]{1,5})?( |$))+$');

create table embed_sessions (
  clinic_id bigint not null,
  id bigint generated always as identity,
  api_key_id bigint not null,
  capabilities text[] not null check (capabilities <@ array['view', 'manage', 'new-secret', 'include-patient'] and 'view' = any (capabilities)),
  host_user_id text not null check (host_user_id ~ '^[!-~]{1,128}$'), -- as the other software knows its user
  host_user_name text not null check (length(host_user_name) between 1 and 100),
  language text not null check (language in ('en', 'fr-CA')),
  color_scheme text check (color_scheme in ('auto', 'light', 'dark')),
  accent text check (accent ~ '^#[0-9a-f]{6}$'),
  radius text check (radius in ('none', 'small', 'medium', 'large')),
  font_size text check (font_size in ('small', 'medium', 'large')),
  lifetime_seconds integer not null check (lifetime_seconds between 60 and 3600),
  link_hash bytea not null unique check (length(link_hash) = 32),   -- SHA-256 of what stands in the link, which opens once
  link_expires_at timestamptz not null,
  token_hash bytea unique check (length(token_hash) = 32),          -- SHA-256 of what it was exchanged for
  expires_at timestamptz check ((expires_at is null) = (token_hash is null)),
  ended_at timestamptz,                              -- by the other software, or because the link came a second time
  created_at timestamptz not null default now(),
  primary key (clinic_id, id),
  foreign key (clinic_id, api_key_id) references api_keys (clinic_id, id)
);
alter table embed_sessions enable row level security, force row level security;
create policy of_this_clinic on embed_sessions to hookwell_app
  using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
do $$ begin execute format('create policy of_the_owner on embed_sessions to %I using (true) with check (true)', current_user); end $$;
grant select, insert, update on embed_sessions to hookwell_app;

-- What is looked up before the clinic is known. A key that was revoked or has expired closes all that came of it at once.
create function embed_link_of(wanted_hash bytea) returns table (clinic_id bigint, id bigint)
  language sql stable security definer
  as $$ select s.clinic_id, s.id from embed_sessions s where s.link_hash = wanted_hash $$;

create function embed_session_of(wanted_hash bytea)
  returns table (clinic_id bigint, id bigint, api_key_id bigint, capabilities text[], host_user_id text, host_user_name text)
  language sql stable security definer
  as $$
    select s.clinic_id, s.id, s.api_key_id, s.capabilities, s.host_user_id, s.host_user_name
    from embed_sessions s join api_keys k on k.clinic_id = s.clinic_id and k.id = s.api_key_id
    where s.token_hash = wanted_hash and s.ended_at is null and s.expires_at > now()
      and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
  $$;

create function embed_frame_of(wanted_frame text) returns table (origins text[])
  language sql stable security definer
  as $$
    select k.embed_origins from api_keys k
    where k.frame_id = wanted_frame and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
  $$;

do $$
declare signature text;
begin
  foreach signature in array array['embed_link_of(bytea)', 'embed_session_of(bytea)', 'embed_frame_of(text)'] loop
    execute format('revoke all on function %s from public', signature);
    execute format('grant execute on function %s to hookwell_app', signature);
    execute format('alter function %s set search_path = %I, pg_temp', signature, current_schema());
  end loop;
end $$;
