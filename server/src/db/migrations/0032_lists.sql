-- What the list of deliveries is narrowed by, so that a page of it looks at few rows more than it shows.
create index events_by_name on events (clinic_id, name, id);
create index events_by_subject on events (clinic_id, subject, id);
-- The failed ones of all webhooks, in the order of the list; few among what was delivered.
create index finished_deliveries_failed on finished_deliveries (clinic_id, event_id, webhook_id, part) where state <> 'delivered';
