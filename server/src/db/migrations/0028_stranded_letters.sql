-- A letter whose process was killed while it was being sent is sent once more, under a link of its own: the first link is kept
-- nowhere but as its hash, and may have arrived, so it goes on working.
alter table invitations
  add column letter_since timestamptz not null default now(),    -- since when the letter has been on its way
  add column letter_again boolean not null default false,        -- it was sent once more
  add column previous_token_hash bytea check (length(previous_token_hash) = 32),
  add check (previous_token_hash is null or letter_again);
create index invitations_stranded on invitations (letter_since) where letter = 'waiting';
create index invitations_by_previous_link on invitations (previous_token_hash) where previous_token_hash is not null;

create or replace function invitation_of(wanted_hash bytea)
  returns table (clinic_id bigint, clinic_name text, locale text, id bigint, email text, role text)
  language sql stable security definer
  as $$
    select c.id, c.name, c.locale, i.id, i.email, i.role from invitations i join clinics c on c.id = i.clinic_id
    where wanted_hash in (i.token_hash, i.previous_token_hash) and i.expires_at > now()
  $$;

-- Takes one letter that has been on its way for too long, of whichever clinic, and gives it a link; what has been taken once
-- before is a failure. No node takes what another one has taken.
create function take_stranded_letter(new_hash bytea, older_than_seconds integer)
  returns table (clinic_id bigint) language sql security definer
  as $$
    update invitations set letter = 'failed'
    where letter = 'waiting' and letter_again and letter_since < now() - make_interval(secs => older_than_seconds);
    update invitations i set previous_token_hash = i.token_hash, token_hash = new_hash, letter_again = true, letter_since = now()
    where (i.clinic_id, i.id) = (
      select s.clinic_id, s.id from invitations s
      where s.letter = 'waiting' and not s.letter_again and s.expires_at > now()
        and s.letter_since < now() - make_interval(secs => older_than_seconds)
      order by s.letter_since limit 1 for update skip locked)
    returning i.clinic_id
  $$;

do $$
declare signature text;
begin
  foreach signature in array array['invitation_of(bytea)', 'take_stranded_letter(bytea, integer)'] loop
    execute format('revoke all on function %s from public', signature);
    execute format('grant execute on function %s to hookwell_app', signature);
    execute format('alter function %s set search_path = %I, pg_temp', signature, current_schema());
  end loop;
end $$;
