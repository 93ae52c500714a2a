-- An answer proves an address, and counts for or against its receiver, only where nothing of its webhook was changed since
-- it was asked for. Times cannot tell: a change has the time at which its transaction began, and may be seen long after it.
-- Versions can. Kept beside what answers change, so that whoever has the run's lock sees the version that holds, and no
-- lock on the webhook's own row is needed. Derived from it, whoever changes it and however.
alter table runs add column webhook_version integer not null default 1;
update runs r set webhook_version = w.version from webhooks w
where w.clinic_id = r.clinic_id and w.id = r.webhook_id and w.version <> r.webhook_version;

create function note_version() returns trigger language plpgsql as $$
  begin
    update runs set webhook_version = new.version where clinic_id = new.clinic_id and webhook_id = new.id;
    return null;
  end $$;
create trigger webhooks_note_version after update of version on webhooks for each row
  when (new.version <> old.version) execute function note_version();

-- A lock needs this right; the column cannot be changed. Whoever takes bells away now and then waits for nobody (rest.sql).
grant update (id) on bells to hookwell_dispatch;
