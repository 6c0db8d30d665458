#!/bin/sh
# Run once, by the image of PostgreSQL, when its data directory is new: a database and an owner each
# for Prefect and for trainfold. Both keep a migration table of their own, so they stay apart.
set -eu

make() {
    psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set ON_ERROR_STOP=1 \
        --set name="$1" --set password="$2" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
SQL
}

make prefect "$PREFECT_DATABASE_PASSWORD"
make trainfold "$TRAINFOLD_DATABASE_PASSWORD"
