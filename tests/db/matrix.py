"""Who may do what, in words, from Postgres' own catalogue: relations, roles, verbs, columns, policies, functions."""

from itertools import groupby

import asyncpg

ROLES = ("anon", "authenticated", "picture_api", "picture_worker")
OURS = "('public'::regnamespace, 'picture'::regnamespace)"
RELATIONS = f"""
    select c.oid, relname, relkind::text, relrowsecurity and relforcerowsecurity as is_bound,
        coalesce('security_invoker=true' = any (reloptions), false) as is_invoker
    from pg_class c where relnamespace in {OURS} and relkind in ('r', 'p', 'v', 'm', 'f', 'S') order by relname
"""
GRANTS = f"""
    select c.relname, role, verb, has_table_privilege(role, c.oid, verb) as is_whole,
        case when verb in ('select', 'insert', 'update', 'references') and c.relkind <> 'S' then array(
            select attname::text from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped
                and has_column_privilege(role, c.oid, attnum, verb) order by attname) end as columns
    from pg_class c cross join unnest($1::text[]) with ordinality as r (role, place)
    cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger'])
        with ordinality as v (verb, turn)
    where relnamespace in {OURS} and relkind in ('r', 'p', 'v', 'm', 'f') order by relname, r.place, v.turn
"""
POLICIES = """
    select tablename, policyname, permissive, cmd, qual, with_check, array_to_string(
        array(select case one when current_user then 'the owner' else one::text end from unnest(roles) as one), ', ')
        as roles
    from pg_policies where schemaname in ('public', 'picture') order by tablename, policyname, cmd
"""
FUNCTIONS = f"""
    select p.proname, pg_get_function_identity_arguments(p.oid) as takes, p.prosecdef, array(
        select role from unnest($1::text[]) as role where has_function_privilege(role, p.oid, 'execute')) as roles
    from pg_proc p where pronamespace in {OURS} order by 1, 2
"""


async def who_may(connection: asyncpg.Connection) -> list[str]:
    """One line for each thing that somebody may do, and for each rule that narrows it."""
    relations = await connection.fetch(RELATIONS)
    lines = [f"{row['relname']} is {_kind(row)}" for row in relations]
    lines += _grants(await connection.fetch(GRANTS, list(ROLES)))
    for row in await connection.fetch(POLICIES):
        rule = f"{row['permissive'].lower()} {row['cmd'].lower()} by {row['roles']}"
        using = f" where {_flat(row['qual'])}" if row["qual"] else ""
        check = f" leaving {_flat(row['with_check'])}" if row["with_check"] else ""
        lines.append(f"{row['tablename']} policy {row['policyname']}: {rule}{using}{check}")
    for row in await connection.fetch(FUNCTIONS, list(ROLES)):
        rights = "as its owner" if row["prosecdef"] else "as the caller"
        lines.append(f"{row['proname']}({row['takes']}) runs {rights}, for {', '.join(row['roles']) or 'nobody'}")
    return lines


def _kind(row: asyncpg.Record) -> str:
    if row["relkind"] == "v":
        return "a view of the caller's" if row["is_invoker"] else "A VIEW THAT GOES PAST POLICIES"
    if row["relkind"] == "S":
        return "a sequence"
    return "bound by policies" if row["is_bound"] else "NOT BOUND BY POLICIES"


def _grants(rows: list[asyncpg.Record]) -> list[str]:
    lines = []
    for (relation, role), verbs in groupby(rows, lambda row: (row["relname"], row["role"])):
        may = [
            verb["verb"] if verb["is_whole"] else f"{verb['verb']} ({', '.join(verb['columns'])})"
            for verb in verbs
            if verb["is_whole"] or verb["columns"]
        ]
        if may:
            lines.append(f"{relation} for {role}: {', '.join(may)}")
    return lines


def _flat(expression: str) -> str:
    return " ".join(expression.split())
