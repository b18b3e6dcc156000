//! The proof as one page of HTML that is read and printed without anything else.

use std::fmt::Write as _;

use super::{Proof, picture};
use crate::rules::text::markup;

/// How the page looks, also on paper.
const STYLE: &str = "body{font-family:DejaVu Sans,Verdana,sans-serif;color:#111;margin:24px;max-width:960px}\
svg{max-width:100%;height:auto}table{border-collapse:collapse;margin:12px 0}td,th{border:1px solid #888;padding:3px 8px;text-align:left;\
font-size:12px;overflow-wrap:anywhere}@page{size:A4 landscape;margin:12mm}";

/// Writes the page.
#[must_use]
pub fn page(proof: &Proof) -> String {
    let title = format!("Bind contract {} to {}", proof.from_semver, proof.to_semver);
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title><style>{STYLE}</style></head><body>\n{}",
        markup(&title),
        picture(proof)
    );
    out.push_str("<h2>Findings</h2>\n");
    if proof.findings.is_empty() {
        out.push_str("<p>none</p>\n");
    } else {
        table(&mut out, &["reason", "surface", "metric", "detail"]);
        for found in &proof.findings {
            let metric = found.metric_id.as_deref().unwrap_or("-");
            let cells = [
                found.reason.word(),
                found.surface.word(),
                metric,
                &found.detail,
            ];
            row(&mut out, &cells);
        }
        out.push_str("</table>\n");
    }
    out.push_str("<h2>Joins</h2>\n");
    table(
        &mut out,
        &["surface", "when", "join", "metrics", "SHA-256 of its text"],
    );
    for bound in &proof.surfaces {
        for (when, joins) in [("before", &bound.before), ("after", &bound.after)] {
            for join in joins {
                let metrics = match &join.rows {
                    Ok(rows) => rows.len().to_string(),
                    Err(why) => format!("did not run: {why}"),
                };
                let surface = bound.surface.word();
                row(
                    &mut out,
                    &[
                        surface,
                        when,
                        &join.bind_query_id,
                        &metrics,
                        &join.sql_sha256,
                    ],
                );
            }
        }
    }
    out.push_str("</table>\n</body></html>\n");
    out
}

fn table(out: &mut String, headings: &[&str]) {
    out.push_str("<table><tr>");
    for heading in headings {
        let _ = write!(out, "<th>{}</th>", markup(heading));
    }
    out.push_str("</tr>\n");
}

fn row(out: &mut String, cells: &[&str]) {
    out.push_str("<tr>");
    for cell in cells {
        let _ = write!(out, "<td>{}</td>", markup(cell));
    }
    out.push_str("</tr>\n");
}
