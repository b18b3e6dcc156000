//! The baseline of a search store: every table, view, index and constraint of the database, and the documents of its indexes.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use sqlx::Row;

use super::super::protocol::{Code, Said, Work};
use super::super::speak::{Described, assemble};
use super::build::MARK;
use super::connect::{Session, said};
use crate::canon::Digest;
use crate::rules::bundle::Baseline;

/// Kind, name, table and definition of every object outside of the system's schemas.
const OBJECTS: &str = "
WITH ours AS (
    SELECT c.oid, c.relkind, n.nspname || '.' || c.relname AS name
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_(catalog|toast|temp_|toast_temp_)'
)
SELECT CASE o.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'view' ELSE 'table' END, o.name, NULL,
    o.relkind::text || ' ' || coalesce(
        (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', pg_catalog.quote_ident(a.attname),
                pg_catalog.format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END,
                a.attgenerated, a.attidentity, pg_catalog.pg_get_expr(d.adbin, d.adrelid)), ', ' ORDER BY a.attnum)
         FROM pg_catalog.pg_attribute a
         LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped), '')
    || CASE WHEN o.relkind IN ('v', 'm') THEN ' as ' || pg_catalog.pg_get_viewdef(o.oid) ELSE '' END
FROM ours o WHERE o.relkind IN ('r', 'p', 'v', 'm', 'f')
UNION ALL
SELECT 'index', i.name, t.name, pg_catalog.pg_get_indexdef(i.oid)
FROM pg_catalog.pg_index x JOIN ours i ON i.oid = x.indexrelid JOIN ours t ON t.oid = x.indrelid
UNION ALL
SELECT 'constraint', t.name || '.' || c.conname, t.name, pg_catalog.pg_get_constraintdef(c.oid)
FROM pg_catalog.pg_constraint c JOIN ours t ON t.oid = c.conrelid
ORDER BY 1, 2, 4";

/// Every index of the driver's, and where it lies.
const INDEXES: &str = "
SELECT n.nspname::text, c.relname::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND pg_catalog.obj_description(c.oid, 'pg_class') LIKE $1
ORDER BY 1, 2";

/// Every table that an entry of a scope means.
const MEANT: &str = "
SELECT n.nspname::text, c.relname::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND (n.nspname || '.' || c.relname = $1 OR c.relname = $1)
AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
ORDER BY 1, 2";

pub(super) async fn take(session: &mut Session, work: &Work) -> Result<Baseline, Said> {
    let mut described = Vec::new();
    for row in session.rows(OBJECTS, &[]).await? {
        let text = |at: usize| row.try_get::<String, _>(at).map_err(|error| said(&error));
        described.push(Described {
            kind: text(0)?,
            name: text(1)?,
            table: row.try_get(2).map_err(|error| said(&error))?,
            definition: text(3)?,
        });
    }
    let mut row_counts = BTreeMap::new();
    for (schema, table) in tables(session, INDEXES, &format!("{MARK}%")).await? {
        let sql = format!("SELECT count(*) FROM {}", quoted(&schema, &table));
        let count: i64 = session
            .one(&sql, &[])
            .await?
            .try_get(0)
            .map_err(|e| said(&e))?;
        row_counts.insert(format!("{schema}.{table}"), count.unsigned_abs());
    }
    let mut protected = BTreeMap::new();
    for entry in &work.scope.protected_reference_tables {
        let meant = tables(session, MEANT, entry).await?;
        if meant.is_empty() {
            let what = format!("the protected table {entry:?} is not there");
            return Err(Said::new(Code::BadRequest, what));
        }
        for (schema, table) in meant {
            let digest = rows_of(session, &quoted(&schema, &table)).await?;
            protected.insert(format!("{schema}.{table}"), digest);
        }
    }
    assemble(
        described,
        &work.scope,
        &protected,
        row_counts,
        BTreeMap::new(),
    )
}

async fn tables(
    session: &mut Session,
    sql: &str,
    value: &str,
) -> Result<Vec<(String, String)>, Said> {
    let rows = session.rows(sql, &[value]).await?;
    let pair = |row: &sqlx::postgres::PgRow| Ok((row.try_get(0)?, row.try_get(1)?));
    let pairs: Result<_, sqlx::Error> = rows.iter().map(pair).collect();
    pairs.map_err(|error| said(&error))
}

/// Digests the rows of a table, in an order that depends on nothing but them.
async fn rows_of(session: &mut Session, table: &str) -> Result<String, Said> {
    let sql = format!(
        "SELECT pg_catalog.sha256(pg_catalog.convert_to((t.*)::pg_catalog.text, 'UTF8')) FROM {table} t ORDER BY 1"
    );
    let mut all = Sha256::new();
    session.digests(&sql, |digest| all.update(digest)).await?;
    Ok(format!(
        "sha256:{}",
        Digest::from_bytes(all.finalize().into())
    ))
}

fn quoted(schema: &str, table: &str) -> String {
    let quote = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    format!("{}.{}", quote(schema), quote(table))
}
