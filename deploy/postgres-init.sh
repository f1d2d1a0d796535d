#!/bin/sh
# Run once by the postgres image on an empty volume: a database for each service, owned by a role that alone may connect to it.
set -eu

for service in identity directory insurance referrals reporting; do
  password=$(cat "/run/secrets/postgres-$service")
  psql --set ON_ERROR_STOP=1 --set service="$service" --set password="$password" \
    --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE :"service" LOGIN PASSWORD :'password';
CREATE DATABASE :"service" OWNER :"service";
REVOKE CONNECT ON DATABASE :"service" FROM PUBLIC;
SQL
done
