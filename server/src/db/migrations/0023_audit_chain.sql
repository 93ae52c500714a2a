-- The audit trail becomes tamper-evident: each clinic's entries are numbered in the order of their commits, and each entry's
-- hash covers the one before it. Nobody changes or removes an entry, not even the owner by mistake; whoever does it on
-- purpose breaks the chain, which `hookwell audit verify` computes anew by code of its own (audit/chain.ts).

alter table audit
  add column actor_name text check (length(actor_name) <= 300), -- as it was then; people leave and are renamed
  add column origin text check (length(origin) <= 64),          -- the address the request came from; null: the program itself
  add column sequence bigint check (sequence > 0),              -- both are given when the transaction commits
  add column hash bytea check (length(hash) = 32);
create unique index audit_by_sequence on audit (clinic_id, sequence);
create index audit_by_actor on audit (clinic_id, actor, sequence);
create index audit_by_action on audit (clinic_id, action, sequence);

-- Where each clinic's chain ends; entries cut off at the end would not be missed otherwise.
create table audit_heads (
  clinic_id bigint primary key references clinics (id),
  sequence bigint not null default 0,
  hash bytea not null default '\x0000000000000000000000000000000000000000000000000000000000000000'
);
alter table audit_heads enable row level security, force row level security;
create policy of_this_clinic on audit_heads to hookwell_app
  using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
do $$ begin execute format('create policy of_the_owner on audit_heads to %I using (true) with check (true)', current_user); end $$;
grant select on audit_heads to hookwell_app;

-- The text whose SHA-256 is an entry's hash: each part with its length in bytes, so that no two entries have the same text.
create function audit_text(previous bytea, entry audit) returns text language sql stable as $$
  select string_agg(coalesce(octet_length(part) || ':' || part, '-'), ',' order by place)
  from unnest(array['hookwell audit 1', encode(previous, 'hex'), entry.clinic_id::text, entry.sequence::text,
    (extract(epoch from entry.at) * 1000000)::bigint::text, entry.actor, entry.actor_name, entry.origin, entry.action,
    entry.target, entry.before, entry.after]) with ordinality as parts (part, place)
$$;

create function chain_entry(wanted_clinic bigint, wanted_id bigint, wanted_at timestamptz) returns void language plpgsql as $$
declare
  head audit_heads;
  entry audit;
begin
  select * into head from audit_heads where clinic_id = wanted_clinic for update;
  if not found then
    insert into audit_heads (clinic_id) values (wanted_clinic) on conflict do nothing;
    select * into strict head from audit_heads where clinic_id = wanted_clinic for update;
  end if;
  select * into strict entry from audit where clinic_id = wanted_clinic and id = wanted_id;
  entry.sequence := head.sequence + 1;
  entry.at := coalesce(wanted_at, clock_timestamp());
  entry.hash := sha256(convert_to(audit_text(head.hash, entry), 'UTF8'));
  update audit set sequence = entry.sequence, at = entry.at, hash = entry.hash where clinic_id = wanted_clinic and id = wanted_id;
  update audit_heads set sequence = entry.sequence, hash = entry.hash where clinic_id = wanted_clinic;
end $$;
revoke all on function chain_entry(bigint, bigint, timestamptz) from public;

-- What was written before there was a chain is chained in the order in which it was numbered.
do $$
declare entry record;
begin
  for entry in select clinic_id, id, at from audit order by clinic_id, id loop
    perform chain_entry(entry.clinic_id, entry.id, entry.at);
  end loop;
end $$;

-- At the commit, when no other lock is taken any more: the head is held for a moment only, and nobody waits in a circle.
create function chain_new_entry() returns trigger language plpgsql security definer as $$
begin
  perform chain_entry(new.clinic_id, new.id, null);
  return null;
end $$;
revoke all on function chain_new_entry() from public;
create constraint trigger chain_new_entry after insert on audit deferrable initially deferred
  for each row execute function chain_new_entry();

-- What an entry says is checked before it is in the chain, too: nobody brings a number or a hash of his own.
create function keep_audit() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' and new.sequence is null and new.hash is null then return new; end if;
  if tg_op = 'UPDATE' and old.sequence is null and new.sequence is not null
    and (old.clinic_id, old.id, old.actor, old.action, old.target) = (new.clinic_id, new.id, new.actor, new.action, new.target)
    and (old.actor_name, old.origin, old.before, old.after) is not distinct from (new.actor_name, new.origin, new.before, new.after)
  then return new; end if;
  raise exception 'the audit trail is append-only' using errcode = 'insufficient_privilege';
end $$;
create trigger keep_audit before insert or update or delete on audit for each row execute function keep_audit();
create trigger keep_audit_whole before truncate on audit for each statement execute function keep_audit();

do $$
declare signature text;
begin
  foreach signature in array array['chain_new_entry()', 'chain_entry(bigint, bigint, timestamptz)'] loop
    execute format('alter function %s set search_path = %I, pg_temp', signature, current_schema());
  end loop;
end $$;
