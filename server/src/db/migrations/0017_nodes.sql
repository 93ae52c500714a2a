-- A node that is stopping says so, and the others give it nothing more.
alter table nodes add column takes boolean not null default true;
