-- Entered by the subject: where both this index and the primary key began with clinic and webhook, either cost the same for
-- a table that was believed to be small, and a look-up of one delivery went through all that waited for its webhook.
-- The old one goes last: while the new one is made, deliveries can be read.
create index deliveries_entered_by_order_key on deliveries (order_key, webhook_id, id, clinic_id);
drop index deliveries_by_order_key;
alter index deliveries_entered_by_order_key rename to deliveries_by_order_key;
