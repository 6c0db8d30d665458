"""Trainfold's schema: made where rights allow it, and closed to everybody else.

An application's default privileges may open new tables to the roles of a public data API, and row
level security does not cover TRUNCATE. So privileges are revoked, too.
"""

from sqlalchemy import Connection, text

from db.schema import quoted
from db.schemas import schemas_of
from domain.errors import AccessRefused

_RIGHTS = text("""
    SELECT current_user AS role, current_database() AS database,
           has_database_privilege(current_database(), 'CREATE') AS may_create_schemas,
           (SELECT has_schema_privilege(oid, 'CREATE, USAGE') FROM pg_catalog.pg_namespace
            WHERE nspname = :own) AS may_create_tables
""")
_TO_CLOSE = text("""
    WITH own AS (
        SELECT oid, nspname, nspacl, pg_has_role(nspowner, 'USAGE') AS is_ours
        FROM pg_catalog.pg_namespace WHERE nspname = :own),
    relations AS (
        SELECT c.oid, c.relkind, c.relacl, c.relrowsecurity,
               format('%I.%I', own.nspname, c.relname) AS name
        FROM own JOIN pg_catalog.pg_class c ON c.relnamespace = own.oid
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND pg_has_role(c.relowner, 'USAGE')),
    others AS (
        SELECT 0 AS id, 'PUBLIC' AS name
        UNION ALL SELECT oid, quote_ident(rolname) FROM pg_catalog.pg_roles
        WHERE rolname IN ('anon', 'authenticated'))
    SELECT format('REVOKE ALL ON SCHEMA %I FROM %s', own.nspname, others.name)
    FROM own, aclexplode(own.nspacl) AS granted JOIN others ON others.id = granted.grantee
    WHERE own.is_ours
    UNION
    SELECT format('REVOKE ALL ON %s %s FROM %s',
                  CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, r.name, others.name)
    FROM relations r, aclexplode(r.relacl) AS granted JOIN others ON others.id = granted.grantee
    UNION
    SELECT format('REVOKE ALL ON TABLE %s FROM %s', r.name, others.name)
    FROM relations r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid,
         aclexplode(a.attacl) AS granted JOIN others ON others.id = granted.grantee
    UNION
    SELECT format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name)
    FROM relations WHERE relkind IN ('r', 'p') AND NOT relrowsecurity
""")


def create_schema(connection: Connection) -> None:
    """Create the schema unless it exists; raise AccessRefused with the statement that is missing.

    `CREATE SCHEMA IF NOT EXISTS` demands the right to create schemas where the schema exists, too.
    """
    if not require_schema(connection):
        connection.execute(text(f"CREATE SCHEMA {quoted(schemas_of(connection).own)}"))


def require_schema(connection: Connection) -> bool:
    """Tell whether the schema exists; raise AccessRefused unless a migration can work in it."""
    own = schemas_of(connection).own
    rights = connection.execute(_RIGHTS, {"own": own}).one()
    schema, role = quoted(own), quoted(rights.role)
    if rights.may_create_tables:
        return True
    if rights.may_create_tables is not None:
        raise AccessRefused(
            f"The user {rights.role} may not create tables in the schema {own}. Nothing was "
            f"changed. Let the schema's owner run: GRANT USAGE, CREATE ON SCHEMA {schema} TO "
            f"{role};"
        )
    if not rights.may_create_schemas:
        raise AccessRefused(
            f"There is no schema {own}, and the user {rights.role} may not create it. Nothing was "
            f"changed. Let the database's owner run: CREATE SCHEMA {schema} AUTHORIZATION {role};"
        )
    return False


def statements_to_close(connection: Connection) -> list[str]:
    """Return what has to be run so that nobody else may use the schema; usually nothing."""
    values = {"own": schemas_of(connection).own}
    return sorted(connection.execute(_TO_CLOSE, values).scalars())


def close_schema(connection: Connection) -> None:
    """Revoke what others may do in the schema, and turn on row level security without a policy."""
    for statement in statements_to_close(connection):
        connection.exec_driver_sql(statement)
