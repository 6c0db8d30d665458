-- Roles and default privileges of a hosted project. Run as the cluster's superuser.
create role anon nologin noinherit;
create role authenticated nologin noinherit;
create role postgres_app login nosuperuser createdb createrole bypassrls password 'owner';
grant anon, authenticated to postgres_app;
grant all on schema public to postgres_app;
grant usage on schema public to anon, authenticated;
-- Every new table in public is open to the world, unless row level security closes it.
alter default privileges for role postgres_app in schema public
  grant all on tables to anon, authenticated;
