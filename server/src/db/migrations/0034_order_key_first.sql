-- Entered by the subject: where both this index and the primary key began with clinic and webhook, either cost the same for
-- a table that was believed to be small, and a look-up of one delivery went through all that waited for its webhook.
-- The old one goes first: dropping it locks the table, and who has a weaker lock then, and waits for a stronger one, is in a
-- deadlock with nodes that deliver.
drop index deliveries_by_order_key;
create index deliveries_by_order_key on deliveries (order_key, webhook_id, id, clinic_id);
