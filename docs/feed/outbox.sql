-- The outbox of your software: a table in your own database. Write a row in the very transaction that changes the record;
-- the relay sends the rows to Hookwell and marks them.

create table hookwell_outbox (
  id bigint generated always as identity primary key,
  key uuid not null unique default gen_random_uuid(), -- names the event for Hookwell: sent twice, it is stored once
  subject text,                                       -- only for invoice:<id>, course-access:<id> and webinar-access:<id>
  facts json not null,                                -- the event, as docs/feed.md shows it
  written_at timestamptz not null default now(),
  sent_at timestamptz,
  refused text                                        -- why Hookwell did not take it: mend what wrote it
);
create index hookwell_outbox_unsent on hookwell_outbox (id) where sent_at is null and refused is null;

-- How a change is written. Lock the record first: then the ids of its events rise in the order of its changes.
--
--   begin;
--   select from appointments where id = 90210 for update;
--   update appointments set … where id = 90210;
--   insert into hookwell_outbox (facts) values ('{"event": "consult.updated", …}');
--   commit;
--
-- What was sent may go after a while: delete from hookwell_outbox where sent_at < now() - interval '30 days';
