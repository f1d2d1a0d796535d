#!/bin/sh
# Run once by the postgres image on an empty volume, and by hand after an upgrade (docs/operations.md): a database for each
# service, with a role that owns its tables and migrates them, and one that the service runs as. Nobody else may connect to it.
set -eu

secrets=${SECRETS:-/run/secrets}

as_superuser() {
  psql --set ON_ERROR_STOP=1 --quiet --username "${POSTGRES_USER:-postgres}" "$@"
}

for service in identity directory insurance referrals reporting; do
  as_superuser --dbname postgres --set service="$service" --set owner="${service}_owner" \
    --set password="$(cat "$secrets/postgres-$service")" \
    --set owner_password="$(cat "$secrets/postgres-${service}_owner")" <<'SQL'
SELECT format('CREATE ROLE %I', name) FROM unnest(ARRAY[:'owner', :'service']) AS name
    WHERE to_regrole(quote_ident(name)) IS NULL \gexec
ALTER ROLE :"owner" LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
ALTER ROLE :"service" LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER %I', :'service', :'owner')
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'service') \gexec
SQL
  # What an earlier release made belongs to the service's own role: it goes over to the owner, with the rights it had.
  as_superuser --dbname "$service" --set service="$service" --set owner="${service}_owner" <<'SQL'
REASSIGN OWNED BY :"service" TO :"owner";
REVOKE ALL ON DATABASE :"service" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"service" TO :"service";
SQL
done
