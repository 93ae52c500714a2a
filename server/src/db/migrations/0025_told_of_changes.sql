-- Every manager is told when a webhook's address changes, or when it gets more of its patients' data than before.
alter table notices drop constraint notices_kind_check;
alter table notices add constraint notices_kind_check check (kind in ('webhook.failing', 'webhook.still_failing', 'webhook.off_soon',
  'webhook.turned_off', 'webhook.gone', 'webhook.recovered', 'delivery.late', 'deliveries.expiring', 'webhook.address_changed',
  'webhook.patient_data_on'));
alter table operational_webhooks drop constraint operational_webhooks_events_check;
alter table operational_webhooks add constraint operational_webhooks_events_check check (cardinality(events) between 1 and 10
  and events <@ array['webhook.failing', 'webhook.still_failing', 'webhook.off_soon', 'webhook.turned_off', 'webhook.gone',
    'webhook.recovered', 'delivery.late', 'deliveries.expiring', 'webhook.address_changed', 'webhook.patient_data_on']);
