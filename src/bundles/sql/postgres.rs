//! What a PostgreSQL database holds, read from its catalogue in a few statements for all objects at once.
//!
//! No object identifier, column number or value of a sequence is among what is read, so two databases of the same shape
//! read alike. What belongs to an extension is left out; the extension itself, with its version and the shape of its tables,
//! is not, nor are their rows.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row};

use super::catalog::{Held, Seen, Thing};
use crate::store::StoreError;

/// Settings under which definitions and values are written, whatever the login or the script prefers.
pub(super) const PLAIN: &str = "SET LOCAL search_path = pg_catalog; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'postgres'; \
     SET LOCAL timezone = 'UTC'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL xmloption = 'content'; \
     SET LOCAL row_security = off; SET LOCAL jit = off";
/// Gives the login's own settings back, for the next script.
pub(super) const OWN: &str = "SET LOCAL search_path TO DEFAULT; SET LOCAL datestyle TO DEFAULT; SET LOCAL intervalstyle TO DEFAULT; \
     SET LOCAL timezone TO DEFAULT; SET LOCAL extra_float_digits TO DEFAULT; SET LOCAL bytea_output TO DEFAULT; \
     SET LOCAL xmloption TO DEFAULT; SET LOCAL row_security TO DEFAULT; SET LOCAL jit TO DEFAULT; \
     SET LOCAL work_mem TO DEFAULT; SET LOCAL maintenance_work_mem TO DEFAULT; SET LOCAL check_function_bodies TO DEFAULT; \
     SET LOCAL client_min_messages TO DEFAULT; SET LOCAL default_table_access_method TO DEFAULT; SET LOCAL standard_conforming_strings = on";

/// Relations of people: neither the system's, nor temporary, nor an extension's.
const RELATIONS: &str = "WITH mine AS MATERIALIZED (\
     SELECT c.oid, n.nspname, c.relname, c.relkind, c.relowner, c.relacl, c.relfilenode, c.reloptions, c.relpersistence, \
         c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.relpartbound, c.reloftype, c.relam \
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relkind <> 't' \
       AND c.oid NOT IN (SELECT d.objid FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'e') \
       AND c.reltype NOT IN (SELECT d.objid FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.deptype = 'e') \
       AND c.oid NOT IN (SELECT i.indexrelid FROM pg_index i JOIN pg_depend d ON d.objid = i.indrelid \
           WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'e'))";

/// Columns of each relation in their order, as one text.
///
/// Newer servers (15.20 is one) keep a counter of their own, `pg_attver`, among a column's options: two columns made alike
/// differ in it.
const COLUMNS: &str = "columns AS (\
     SELECT a.attrelid, string_agg(concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod), \
         CASE WHEN a.attcollation <> t.typcollation THEN 'collate ' || quote_ident(l.collname) END, \
         CASE WHEN a.attnotnull THEN 'not null' END, \
         CASE WHEN a.attidentity <> '' THEN 'identity ' || a.attidentity::text END, \
         CASE WHEN a.attgenerated <> '' THEN 'generated ' || a.attgenerated::text END, \
         'default ' || pg_get_expr(d.adbin, d.adrelid), \
         CASE WHEN a.attstorage <> t.typstorage THEN 'storage ' || a.attstorage::text END, \
         CASE WHEN a.attinhcount > 0 THEN 'inherited' END, \
         'options ' || (SELECT string_agg(o, ',' ORDER BY o) FROM unnest(a.attoptions) o WHERE o !~ '^pg_attver='), 'foreign options ' || array_to_string(a.attfdwoptions, ',')), E'\\n' ORDER BY a.attnum) AS text \
     FROM mine m JOIN pg_attribute a ON a.attrelid = m.oid JOIN pg_type t ON t.oid = a.atttypid \
     LEFT JOIN pg_collation l ON l.oid = a.attcollation \
     LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
     WHERE a.attnum > 0 AND NOT a.attisdropped AND m.relkind IN ('r', 'p', 'f', 'v', 'm', 'c') GROUP BY a.attrelid)";

const TABLES: &str = ", parents AS (\
     SELECT i.inhrelid, string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) AS text FROM pg_inherits i GROUP BY i.inhrelid), \
     asleep AS (SELECT t.tgrelid, string_agg(t.tgenabled::text, '' ORDER BY t.tgenabled) AS text \
         FROM pg_trigger t WHERE t.tgisinternal AND t.tgenabled <> 'O' GROUP BY t.tgrelid) \
     SELECT CASE m.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'c' THEN 'type' WHEN 'f' THEN 'foreign table' ELSE 'table' END, \
         m.nspname::text, m.relname::text, NULL::text, \
         concat_ws(E'\\n', m.relkind, m.relpersistence, c.text, 'inherits ' || p.text, 'bound ' || pg_get_expr(m.relpartbound, m.oid), \
             CASE WHEN m.relkind = 'p' THEN 'partition by ' || pg_get_partkeydef(m.oid) END, \
             CASE WHEN m.relkind IN ('v', 'm') THEN pg_get_viewdef(m.oid) END, \
             'options ' || (SELECT string_agg(o, ',' ORDER BY o) FROM unnest(m.reloptions) o), \
             CASE WHEN m.relrowsecurity THEN 'row security' END, CASE WHEN m.relforcerowsecurity THEN 'forced' END, \
             CASE WHEN m.relreplident <> 'd' THEN 'replica identity ' || m.relreplident::text END, \
             CASE WHEN m.reloftype <> 0 THEN 'of ' || format_type(m.reloftype, NULL) END, \
             CASE WHEN am.amname <> 'heap' THEN 'using ' || am.amname END, 'internal triggers ' || s.text) \
     FROM mine m LEFT JOIN columns c ON c.attrelid = m.oid LEFT JOIN parents p ON p.inhrelid = m.oid \
     LEFT JOIN asleep s ON s.tgrelid = m.oid LEFT JOIN pg_am am ON am.oid = m.relam WHERE m.relkind IN ('r', 'p', 'f', 'v', 'm', 'c')";

/// Each gives kind, schema, name, table and definition; the name of what belongs to a table begins with the table's.
const OF_RELATIONS: &[&str] = &[
    " SELECT 'index', m.nspname::text, m.relname::text, t.relname::text, concat_ws(' ', pg_get_indexdef(m.oid), \
         CASE WHEN NOT i.indisvalid THEN 'invalid' END, CASE WHEN i.indisclustered THEN 'clustered' END, \
         CASE WHEN i.indisreplident THEN 'replica identity' END) \
     FROM mine m JOIN pg_index i ON i.indexrelid = m.oid JOIN pg_class t ON t.oid = i.indrelid",
    " SELECT 'constraint', m.nspname::text, c.conname::text, m.relname::text, pg_get_constraintdef(c.oid) \
     FROM mine m JOIN pg_constraint c ON c.conrelid = m.oid WHERE c.contype IN ('c', 'f', 'p', 'u', 'x')",
    " SELECT 'trigger', m.nspname::text, t.tgname::text, m.relname::text, pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text \
     FROM mine m JOIN pg_trigger t ON t.tgrelid = m.oid WHERE NOT t.tgisinternal",
    " SELECT 'rule', m.nspname::text, r.rulename::text, m.relname::text, pg_get_ruledef(r.oid) || ' ' || r.ev_enabled::text \
     FROM mine m JOIN pg_rewrite r ON r.ev_class = m.oid WHERE r.rulename <> '_RETURN'",
    " SELECT 'policy', m.nspname::text, p.polname::text, m.relname::text, \
         concat_ws(' ', p.polpermissive::text, p.polcmd, (SELECT string_agg(COALESCE(r.rolname, 'public'), ',' ORDER BY r.rolname) \
             FROM unnest(p.polroles) role LEFT JOIN pg_roles r ON r.oid = role), \
             'using ' || pg_get_expr(p.polqual, p.polrelid), 'check ' || pg_get_expr(p.polwithcheck, p.polrelid)) \
     FROM mine m JOIN pg_policy p ON p.polrelid = m.oid",
    " SELECT 'statistics', m.nspname::text, s.stxname::text, m.relname::text, pg_get_statisticsobjdef(s.oid) \
     FROM mine m JOIN pg_statistic_ext s ON s.stxrelid = m.oid",
    " SELECT 'sequence', m.nspname::text, m.relname::text, o.relname::text, concat_ws(' ', format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, \
         s.seqmin, s.seqmax, s.seqcache, s.seqcycle::text, m.relpersistence, 'of ' || o.relname || '.' || a.attname) \
     FROM mine m JOIN pg_sequence s ON s.seqrelid = m.oid \
     LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = m.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') \
     LEFT JOIN pg_class o ON o.oid = d.refobjid LEFT JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum = d.refobjsubid",
    // An owner is named only where it is not the database's, and rights only where they are not what an owner starts with.
    ", given AS (SELECT m.oid, m.nspname, m.relname, m.relowner, m.relacl, acldefault(CASE m.relkind WHEN 'S' THEN 's'::\"char\" ELSE 'r'::\"char\" END, \
             m.relowner) AS usual, m.relowner <> b.datdba AS is_anothers \
         FROM mine m JOIN pg_database b ON b.datname = current_database() WHERE m.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')), \
     of_columns AS (SELECT a.attrelid, string_agg(a.attname || ' ' || array_to_string(a.attacl, ','), E'\\n' ORDER BY a.attname) AS text \
         FROM pg_attribute a WHERE a.attacl IS NOT NULL AND a.attacl <> '{}' AND NOT a.attisdropped GROUP BY a.attrelid), \
     said AS (SELECT g.nspname, g.relname, concat_ws(E'\\n', CASE WHEN g.is_anothers THEN 'owner ' || pg_get_userbyid(g.relowner) END, \
             CASE WHEN NOT (g.relacl @> g.usual AND g.relacl <@ g.usual) THEN COALESCE((SELECT string_agg( \
                 CASE x.grantee WHEN 0 THEN 'public' WHEN g.relowner THEN 'owner' ELSE pg_get_userbyid(x.grantee) END || ' ' \
                 || x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END, ',' ORDER BY x.grantee = 0, pg_get_userbyid(x.grantee), x.privilege_type) \
                 FROM aclexplode(g.relacl) x), 'none') END, c.text) AS text \
         FROM given g LEFT JOIN of_columns c ON c.attrelid = g.oid) \
     SELECT 'privileges', nspname::text, relname::text, relname::text, text FROM said WHERE text <> ''",
];

/// What is of people among objects that are no relations: `$catalogue`, its alias `o` and its namespace column.
macro_rules! mine {
    ($catalogue:literal, $namespace:literal) => {
        concat!(
            " FROM ", $catalogue, " o JOIN pg_namespace n ON n.oid = o.", $namespace,
            " WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT EXISTS (SELECT 1 FROM pg_depend d \
             WHERE d.classid = '", $catalogue, "'::regclass AND d.objid = o.oid AND d.deptype = 'e')"
        )
    };
}
macro_rules! identity {
    ($catalogue:literal) => {
        concat!(
            "(pg_identify_object('",
            $catalogue,
            "'::regclass, o.oid, 0)).identity"
        )
    };
}

const OTHERS: &[&str] = &[
    concat!(
        "SELECT CASE o.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END, n.nspname::text, \
             o.proname || '(' || pg_get_function_identity_arguments(o.oid) || ')', NULL::text, \
             CASE WHEN o.prokind = 'a' THEN (SELECT concat_ws(' ', format_type(o.prorettype, NULL), a.aggkind, a.aggtransfn, a.aggfinalfn, a.aggcombinefn, \
                 format_type(a.aggtranstype, NULL), a.agginitval) FROM pg_aggregate a WHERE a.aggfnoid = o.oid) ELSE pg_get_functiondef(o.oid) END \
             || COALESCE(E'\\n' || array_to_string(o.proacl, ','), '') || CASE WHEN o.proowner <> (SELECT datdba FROM pg_database \
                 WHERE datname = current_database()) THEN E'\\nowner ' || pg_get_userbyid(o.proowner) ELSE '' END",
        mine!("pg_proc", "pronamespace")
    ),
    concat!(
        "SELECT CASE WHEN o.typtype = 'd' THEN 'domain' ELSE 'type' END, n.nspname::text, o.typname::text, NULL::text, \
             concat_ws(' ', o.typtype, (SELECT string_agg(quote_literal(e.enumlabel), ',' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = o.oid), \
             CASE WHEN o.typtype = 'd' THEN format_type(o.typbasetype, o.typtypmod) END, CASE WHEN o.typnotnull THEN 'not null' END, \
             'default ' || o.typdefault, (SELECT string_agg(c.conname || ' ' || pg_get_constraintdef(c.oid), ',' ORDER BY c.conname) \
                 FROM pg_constraint c WHERE c.contypid = o.oid), \
             (SELECT format_type(r.rngsubtype, NULL) FROM pg_range r WHERE r.rngtypid = o.oid), NULLIF(o.typinput::oid, 0)::regproc, \
             array_to_string(o.typacl, ','))",
        mine!("pg_type", "typnamespace"),
        " AND o.typtype <> 'c' AND NOT (o.typelem <> 0 AND o.typlen = -1 AND o.typcategory = 'A')"
    ),
    concat!(
        "SELECT 'operator', n.nspname::text, ",
        identity!("pg_operator"),
        ", NULL::text, concat_ws(' ', o.oprcode, o.oprrest, o.oprjoin, o.oprcanmerge::text, o.oprcanhash::text)",
        mine!("pg_operator", "oprnamespace")
    ),
    concat!(
        "SELECT 'operator class', n.nspname::text, ",
        identity!("pg_opclass"),
        ", NULL::text, concat_ws(' ', format_type(o.opcintype, NULL), o.opcdefault::text, format_type(NULLIF(o.opckeytype, 0), NULL))",
        mine!("pg_opclass", "opcnamespace")
    ),
    concat!(
        "SELECT 'operator family', n.nspname::text, ",
        identity!("pg_opfamily"),
        ", NULL::text, (SELECT string_agg(a.amopstrategy || ' ' || a.amopopr::regoperator, ',' ORDER BY a.amopstrategy, a.amopopr::regoperator::text) FROM pg_amop a WHERE a.amopfamily = o.oid)",
        mine!("pg_opfamily", "opfnamespace")
    ),
    concat!(
        "SELECT 'collation', n.nspname::text, o.collname::text, NULL::text, concat_ws(' ', o.collprovider, o.collcollate, o.collctype, o.collisdeterministic::text)",
        mine!("pg_collation", "collnamespace")
    ),
    concat!(
        "SELECT 'conversion', n.nspname::text, o.conname::text, NULL::text, concat_ws(' ', o.conproc, o.conforencoding, o.contoencoding)",
        mine!("pg_conversion", "connamespace")
    ),
    concat!(
        "SELECT 'text search configuration', n.nspname::text, o.cfgname::text, NULL::text, (SELECT string_agg(m.maptokentype || ' ' || m.mapdict::regdictionary, ',' ORDER BY m.maptokentype, m.mapseqno) FROM pg_ts_config_map m WHERE m.mapcfg = o.oid)",
        mine!("pg_ts_config", "cfgnamespace")
    ),
    concat!(
        "SELECT 'text search dictionary', n.nspname::text, o.dictname::text, NULL::text, o.dictinitoption",
        mine!("pg_ts_dict", "dictnamespace")
    ),
    "SELECT 'schema', o.nspname::text, NULL::text, NULL::text, concat_ws(' ', CASE WHEN o.nspowner <> b.datdba THEN 'owner ' || pg_get_userbyid(o.nspowner) END, \
         (SELECT string_agg(CASE x.grantee WHEN 0 THEN 'public' WHEN o.nspowner THEN 'owner' ELSE pg_get_userbyid(x.grantee) END || ' ' || x.privilege_type, ',' \
             ORDER BY x.grantee = 0, pg_get_userbyid(x.grantee), x.privilege_type) FROM aclexplode(o.nspacl) x)) \
     FROM pg_namespace o JOIN pg_database b ON b.datname = current_database() WHERE o.nspname !~ '^pg_' AND o.nspname <> 'information_schema'",
    "SELECT 'extension', NULL::text, o.extname::text, NULL::text, concat_ws(E'\\n', o.extversion || ' ' || n.nspname, (SELECT string_agg( \
         concat_ws(E'\\n', c.relname, \
             (SELECT string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text), ',' ORDER BY a.attnum) \
                 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), \
             (SELECT string_agg(k.conname || ' ' || pg_get_constraintdef(k.oid), ',' ORDER BY k.conname) FROM pg_constraint k WHERE k.conrelid = c.oid), \
             (SELECT string_agg(pg_get_indexdef(i.indexrelid), ',' ORDER BY i.indexrelid::regclass::text) FROM pg_index i WHERE i.indrelid = c.oid), \
             (SELECT string_agg(pg_get_triggerdef(g.oid) || ' ' || g.tgenabled::text, ',' ORDER BY g.tgname) FROM pg_trigger g \
                 WHERE g.tgrelid = c.oid AND NOT g.tgisinternal)), E'\\n' ORDER BY c.relname, c.relnamespace::regnamespace::text) \
         FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'p', 'f') WHERE d.classid = 'pg_class'::regclass \
             AND d.refclassid = 'pg_extension'::regclass AND d.refobjid = o.oid AND d.deptype = 'e')) \
     FROM pg_extension o JOIN pg_namespace n ON n.oid = o.extnamespace",
    "SELECT 'cast', NULL::text, (pg_identify_object('pg_cast'::regclass, o.oid, 0)).identity, NULL::text, concat_ws(' ', NULLIF(o.castfunc, 0)::regprocedure, o.castcontext, o.castmethod) \
     FROM pg_cast o WHERE o.oid >= 16384 AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_cast'::regclass AND d.objid = o.oid AND d.deptype = 'e')",
    "SELECT 'event trigger', NULL::text, o.evtname::text, NULL::text, concat_ws(' ', o.evtevent, o.evtfoid::regprocedure, o.evtenabled, array_to_string(o.evttags, ',')) FROM pg_event_trigger o",
    "SELECT 'publication', NULL::text, o.pubname::text, NULL::text, concat_ws(' ', o.puballtables::text, o.pubinsert::text, o.pubupdate::text, o.pubdelete::text, \
         (SELECT string_agg(r.prrelid::regclass::text, ',' ORDER BY r.prrelid::regclass::text) FROM pg_publication_rel r WHERE r.prpubid = o.oid)) FROM pg_publication o",
    "SELECT 'foreign server', NULL::text, o.srvname::text, NULL::text, w.fdwname::text FROM pg_foreign_server o JOIN pg_foreign_data_wrapper w ON w.oid = o.srvfdw",
    "SELECT 'default privileges', NULL::text, concat_ws(' ', pg_get_userbyid(o.defaclrole), n.nspname, o.defaclobjtype), NULL::text, array_to_string(o.defaclacl, ',') \
     FROM pg_default_acl o LEFT JOIN pg_namespace n ON n.oid = o.defaclnamespace",
    "SELECT 'comment', n.nspname::text, a.attname::text, c.relname::text, o.description FROM pg_description o \
     JOIN pg_class c ON c.oid = o.objoid JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = o.objsubid AND o.objsubid > 0 \
     WHERE o.classoid = 'pg_class'::regclass AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
         AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')",
];

/// Tables and materialized views that hold rows of their own, with what tells a rewritten one, and whether an extension
/// brought it.
const HELD: &str = "SELECT n.nspname::text, c.relname::text, c.oid::bigint, c.relfilenode::bigint, c.relkind = 'p', \
         EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') \
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'm', 'p')";

/// Reads the whole catalogue; the session's settings must be [`PLAIN`].
pub(super) async fn look(connection: &mut PgConnection) -> Result<Seen, StoreError> {
    let mut seen = Seen::default();
    let tables = format!("{RELATIONS}, {COLUMNS}{TABLES}");
    let of_relations = OF_RELATIONS.iter().map(|sql| format!("{RELATIONS}{sql}"));
    let others = OTHERS.iter().map(|sql| (*sql).to_owned());
    for sql in std::iter::once(tables).chain(of_relations).chain(others) {
        let rows = sqlx::query(AssertSqlSafe(sql))
            .persistent(false)
            .fetch_all(&mut *connection)
            .await?;
        for row in rows {
            let (kind, schema): (String, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
            let (name, table): (Option<String>, Option<String>) =
                (row.try_get(2)?, row.try_get(3)?);
            let definition: Option<String> = row.try_get(4)?;
            seen.add(Thing {
                name: named(&kind, schema.as_deref(), table.as_deref(), name.as_deref()),
                table: table.map(|table| named("table", schema.as_deref(), None, Some(&table))),
                definition: definition.unwrap_or_default(),
                kind,
            });
        }
    }
    let rows = sqlx::query(HELD)
        .persistent(false)
        .fetch_all(&mut *connection)
        .await?;
    for row in rows {
        let (schema, name): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        // A partitioned table's rows are its partitions'; any other is meant without what inherits from it.
        let only = if row.try_get(4)? { "" } else { "ONLY " };
        seen.held.push(Held {
            name: named("table", Some(&schema), None, Some(&name)),
            sql: format!("{only}{}.{}", quoted(&schema), quoted(&name)),
            id: row.try_get(2)?,
            file: row.try_get(3)?,
            is_brought: row.try_get(5)?,
        });
    }
    Ok(seen)
}

/// Kinds whose names are their own within a table only.
const IN_TABLES: &[&str] = &["constraint", "trigger", "rule", "policy", "comment"];

/// Writes `schema.name`, or `schema.table.name`; what has its schema in its name already stays as it is.
fn named(kind: &str, schema: Option<&str>, table: Option<&str>, name: Option<&str>) -> String {
    // A full stop within a name is told from one between names by quotes.
    let part = |name: &str| {
        if name.contains(['.', '"']) && !name.contains('(') {
            quoted(name)
        } else {
            name.to_owned()
        }
    };
    if kind.starts_with("operator") || schema.is_none() {
        return name.unwrap_or_default().to_owned();
    }
    let table = table.filter(|_| IN_TABLES.contains(&kind));
    let parts: Vec<String> = [schema, table, name]
        .into_iter()
        .flatten()
        .map(part)
        .collect();
    parts.join(".")
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
