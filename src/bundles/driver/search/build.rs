//! The steps: build an index, swap an alias, drop an index.

use sqlx::Row;

use super::super::protocol::{Code, Said};
use super::Done;
use super::connect::{Session, said};
use super::script::{Alias, Build, Drop, Name};

/// The comment by which an index of this driver's is known; what must be kept says until when behind it.
pub(super) const MARK: &str = "govdeck.search-index.v1";
const KEPT: &str = " kept until ";

/// How a moment is written behind the mark.
const MOMENT: &str = "YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"";

pub(super) async fn build(
    session: &mut Session,
    build: &Build,
    done: &mut Done,
) -> Result<(), Said> {
    let configuration = &build.configuration;
    let known = "SELECT count(*) FROM pg_catalog.pg_ts_config c JOIN pg_catalog.pg_namespace n \
                 ON n.oid = c.cfgnamespace WHERE n.nspname = $1 AND c.cfgname = $2";
    let (schema, name) = (configuration.schema.as_str(), configuration.table.as_str());
    let known: i64 = first(session, known, &[schema, name]).await?;
    if known != 1 {
        let what = format!("there is no text-search configuration {configuration}");
        return Err(Said::new(Code::ScriptFailed, what));
    }
    let index = build.index.quoted();
    let columns: Vec<String> = build.columns.iter().map(|c| c.name.quoted()).collect();
    let declared: Vec<String> = columns.iter().map(|c| format!("{c} text")).collect();
    let weighed: Vec<String> = build
        .columns
        .iter()
        .map(|column| {
            format!(
                "setweight(to_tsvector('{}'::regconfig, coalesce({}, '')), '{:?}')",
                configuration.quoted(),
                column.name.quoted(),
                column.weight
            )
        })
        .collect();
    let document = weighed.join(" || ");
    session
        .run(&format!(
            "CREATE TABLE {index} (\"key\" text NOT NULL, {}, \
             \"document\" tsvector NOT NULL GENERATED ALWAYS AS ({document}) STORED)",
            declared.join(", ")
        ))
        .await?;
    let texts: Vec<String> = columns.iter().map(|c| format!("{c}::text")).collect();
    let filled = session
        .run(&format!(
            "INSERT INTO {index} (\"key\", {}) SELECT {}::text, {} FROM {}",
            columns.join(", "),
            build.key.quoted(),
            texts.join(", "),
            build.source.quoted(),
        ))
        .await?;
    let name = build.index.table.as_str();
    session
        .run(&format!(
            "ALTER TABLE {index} ADD CONSTRAINT \"{name}_pkey\" PRIMARY KEY (\"key\"); \
             CREATE INDEX \"{name}_document\" ON {index} USING gin (\"document\"); \
             COMMENT ON TABLE {index} IS '{MARK}'; ANALYZE {index}"
        ))
        .await?;
    count(done, &build.index, filled);
    done.notes
        .push(format!("{} holds {filled} documents", build.index));
    Ok(())
}

pub(super) async fn alias(
    session: &mut Session,
    alias: &Alias,
    done: &mut Done,
) -> Result<(), Said> {
    let found = target(session, &alias.name).await?;
    let expected = alias.from.as_ref().map(Name::to_string);
    if found != expected {
        let leads = |to: &Option<String>| to.clone().unwrap_or_else(|| "nowhere".to_owned());
        let what = format!(
            "{} leads to {}, and the script takes it for {}",
            alias.name,
            leads(&found),
            leads(&expected)
        );
        return Err(Said::new(Code::ScriptFailed, what));
    }
    let view = alias.name.quoted();
    match &alias.to {
        Some(to) => {
            let columns = fields(session, to).await?;
            let replace = if alias.from.is_some() {
                "OR REPLACE "
            } else {
                ""
            };
            session
                .run(&format!(
                    "CREATE {replace}VIEW {view} AS SELECT \"key\", \"document\", \
                     pg_catalog.jsonb_build_object({columns}) AS \"fields\" FROM {}",
                    to.quoted()
                ))
                .await?;
            mark(session, to, MARK).await?;
        }
        None => drop_view(session, &view).await?,
    }
    if let (Some(old), Some(hours)) = (&alias.from, alias.keep_old_hours) {
        let until = format!(
            "SELECT pg_catalog.to_char(pg_catalog.now() + pg_catalog.make_interval(hours => {hours}), '{MOMENT}')"
        );
        let until: String = first(session, &until, &[]).await?;
        mark(session, old, &format!("{MARK}{KEPT}{until}")).await?;
        done.notes.push(format!("{old} is kept until {until}"));
    }
    Ok(())
}

async fn drop_view(session: &mut Session, view: &str) -> Result<(), Said> {
    session.run(&format!("DROP VIEW {view} RESTRICT")).await?;
    Ok(())
}

pub(super) async fn drop(session: &mut Session, drop: &Drop, done: &mut Done) -> Result<(), Said> {
    let index = &drop.index;
    let comment = comment(session, index).await?;
    if let Some((_, until)) = comment.split_once(KEPT) {
        let over = format!("SELECT pg_catalog.to_char(pg_catalog.now(), '{MOMENT}')");
        let now: String = first(session, &over, &[]).await?;
        // Both are written with the same width, so text compares as time.
        if now.as_str() < until {
            let what = format!("{index} is kept until {until} for the way back");
            return Err(Said::new(Code::ScriptFailed, what));
        }
    }
    let quoted = index.quoted();
    let rows: i64 = first(session, &format!("SELECT count(*) FROM {quoted}"), &[]).await?;
    // Restricted: as long as an alias leads there, the server itself refuses.
    session
        .run(&format!("DROP TABLE {quoted} RESTRICT"))
        .await?;
    count(done, index, u64::try_from(rows).unwrap_or(u64::MAX));
    Ok(())
}

fn count(done: &mut Done, index: &Name, rows: u64) {
    let counted = done.rows.entry(index.to_string()).or_default();
    *counted = counted.saturating_add(rows);
}

/// Finds the one index that a view leads to; none when there is no such view.
async fn target(session: &mut Session, alias: &Name) -> Result<Option<String>, Said> {
    let sql = "SELECT n.nspname || '.' || t.relname FROM pg_catalog.pg_class v \
        JOIN pg_catalog.pg_namespace vn ON vn.oid = v.relnamespace \
        JOIN pg_catalog.pg_rewrite r ON r.ev_class = v.oid \
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid \
            AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> v.oid \
        JOIN pg_catalog.pg_class t ON t.oid = d.refobjid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace \
        WHERE vn.nspname = $1 AND v.relname = $2 AND v.relkind = 'v' GROUP BY 1 ORDER BY 1";
    let values = [alias.schema.as_str(), alias.table.as_str()];
    let rows = session.rows(sql, &values).await?;
    match rows.as_slice() {
        [] => Ok(None),
        [row] => row.try_get(0).map(Some).map_err(|error| said(&error)),
        _ => {
            let what = format!("{alias} is no alias: it leads to several tables");
            Err(Said::new(Code::ScriptFailed, what))
        }
    }
}

/// Reads the mark of an index, and refuses any other table.
async fn comment(session: &mut Session, index: &Name) -> Result<String, Said> {
    let sql = "SELECT pg_catalog.obj_description(c.oid, 'pg_class') FROM pg_catalog.pg_class c \
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
               WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'r'";
    let rows = session
        .rows(sql, &[index.schema.as_str(), index.table.as_str()])
        .await?;
    let comment: Option<String> = match rows.first() {
        Some(row) => row.try_get(0).map_err(|error| said(&error))?,
        None => None,
    };
    comment
        .filter(|comment| comment.starts_with(MARK))
        .ok_or_else(|| {
            let what = format!("there is no search index {index} that this driver has built");
            Said::new(Code::ScriptFailed, what)
        })
}

/// Writes what a view shows of an index's texts: name and value of each column.
async fn fields(session: &mut Session, index: &Name) -> Result<String, Said> {
    comment(session, index).await?;
    let sql = "SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = \
               (SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                WHERE n.nspname = $1 AND c.relname = $2) AND a.attnum > 0 AND NOT a.attisdropped \
               AND a.attname NOT IN ('key', 'document') ORDER BY a.attnum";
    let rows = session
        .rows(sql, &[index.schema.as_str(), index.table.as_str()])
        .await?;
    let mut pairs = Vec::new();
    for row in &rows {
        let name: String = row.try_get(0).map_err(|error| said(&error))?;
        pairs.push(format!(
            "'{}', \"{}\"",
            name.replace('\'', "''"),
            name.replace('"', "\"\"")
        ));
    }
    Ok(pairs.join(", "))
}

/// Writes a comment; it holds nothing that would have to be quoted.
async fn mark(session: &mut Session, index: &Name, comment: &str) -> Result<(), Said> {
    let sql = format!("COMMENT ON TABLE {} IS '{comment}'", index.quoted());
    session.run(&sql).await?;
    Ok(())
}

async fn first<T>(session: &mut Session, sql: &str, values: &[&str]) -> Result<T, Said>
where
    T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    let row = session.one(sql, values).await?;
    row.try_get(0).map_err(|error| said(&error))
}
