//! A readback as one page of HTML that is read and printed without anything else.

use std::fmt::Write as _;

use super::{Cited, Readback};
use crate::rules::text::markup;
use crate::rules::{Verdict, faq};

/// How the page looks, also on paper.
const STYLE: &str = "\
:root{color-scheme:light}body{font-family:Georgia,DejaVu Serif,serif;color:#14181f;background:#fff;max-width:52rem;margin:2rem auto;padding:0 1.5rem;line-height:1.45}\
h1{font-size:1.9rem;margin:0 0 .2rem}h2{font-size:1.05rem;letter-spacing:.04em;text-transform:uppercase;color:#475063;border-bottom:1px solid #d5d9e0;\
padding-bottom:.2rem;margin:1.8rem 0 .6rem}.standing{font-weight:bold;padding:.55rem .8rem;border:2px solid;margin:.8rem 0}\
.pass{color:#14602f;border-color:#14602f}.fail{color:#a1061f;border-color:#a1061f}.cannot_tell{color:#7a4a00;border-color:#7a4a00}\
.headline{display:grid;grid-template-columns:1fr auto auto;gap:.2rem 1.4rem;padding:.7rem 0;border-bottom:1px solid #e6e9ee;break-inside:avoid}\
.label{font-weight:bold;font-size:1.1rem}.says{color:#475063;font-size:.9rem;grid-column:1/-1}.side{text-align:right}\
.side b{display:block;font-size:1.5rem;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}.side small{color:#475063}\
cite{display:block;grid-column:1/-1;font:.72rem/1.5 DejaVu Sans Mono,monospace;color:#475063;overflow-wrap:anywhere}\
li{margin:.25rem 0;overflow-wrap:anywhere}footer{margin-top:2.2rem;border-top:2px solid #14181f;padding-top:.5rem;font:.8rem/1.6 DejaVu Sans Mono,monospace}\
footer b{font-weight:normal;color:#475063}@page{size:A4;margin:14mm}@media print{body{margin:0;max-width:none;padding:0}}";

/// Writes the page; text of the database stands in it as text only.
#[must_use]
pub fn html(readback: &Readback) -> String {
    let title = format!("Readback of {}", readback.week);
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{0}</title><style>{STYLE}</style></head><body>\n<h1>{0}</h1>\n<p class=\"standing {1}\">{2}</p>\n",
        markup(&title),
        readback.verdict(),
        markup(&readback.standing())
    );
    headlines(&mut out, readback);
    section(&mut out, "Runs", &readback.runs, |run| {
        let signers = match run.signers.as_slice() {
            [] => "nobody".to_owned(),
            names => names.join(", "),
        };
        markup(&format!(
            "{} of {}: {}, signed by {signers}, diff {}",
            run.job_run_id,
            run.series,
            run.status,
            run.artifact_uri.as_deref().unwrap_or("none")
        ))
    });
    for series in &readback.without_window {
        let _ = writeln!(out, "<p>{}: NO WINDOW of this week</p>", markup(series));
    }
    section(&mut out, "Carve-outs", &readback.carve_outs, |it| {
        markup(&format!(
            "bypass {} of freeze {} in {}: {}",
            it.bypass_audit_id,
            it.parent_freeze_id,
            it.job_run_id,
            it.reach()
        ))
    });
    section(&mut out, "Override annexes", &readback.annexes, |it| {
        markup(&format!(
            "{} lets {} out until {}, by {}: {}",
            it.annex_id, it.publish_run_id, it.expires_at_utc, it.by, it.reason
        ))
    });
    if !readback.addenda.is_empty() {
        section(&mut out, "Addendum", &readback.addenda, |said| markup(said));
    }
    if !readback.notices.is_empty() {
        section(&mut out, "Notices", &readback.notices, |said| markup(said));
    }
    section(&mut out, "Questions", &readback.faq, |it| {
        let question = markup(&it.question);
        let metric = markup(&it.metric_id);
        match faq::anchor(&it.annex_anchor) {
            Ok(anchor) => format!("<a href=\"{}\">{question}</a> ({metric})", markup(anchor)),
            Err(_) => format!("{question} ({metric}; its anchor is none)"),
        }
    });
    out.push_str("<footer>\n");
    for (name, said) in readback.footer.lines() {
        let _ = writeln!(out, "<div><b>{name}</b> {}</div>", markup(&said));
    }
    let _ = writeln!(
        out,
        "<div><b>made at</b> {}</div>\n</footer>\n</body></html>",
        readback.made_at_utc
    );
    out
}

fn headlines(out: &mut String, readback: &Readback) {
    out.push_str("<h2>Headlines</h2>\n");
    if readback.headlines.is_empty() {
        out.push_str("<p>none: no metric is protected in the runs of this week</p>\n");
        return;
    }
    for it in &readback.headlines {
        let agree = match it.agree {
            Verdict::Pass => "both sides agree",
            Verdict::Fail => "THE SIDES DIFFER",
            Verdict::CannotTell => "CANNOT TELL",
        };
        let _ = writeln!(
            out,
            "<div class=\"headline\"><div><span class=\"label\">{}</span><br><span class=\"{}\">{agree}</span></div>\
             {}{}<span class=\"says\">{}</span>{}</div>",
            markup(&it.label),
            it.agree,
            number("leadership", &it.unit, it.leadership.as_ref()),
            number("partners", &it.unit, it.partner.as_ref()),
            markup(&it.definition),
            source(it.leadership.as_ref().or(it.partner.as_ref()))
        );
    }
}

fn number(side: &str, unit: &str, cited: Option<&Cited>) -> String {
    let value = cited.map_or("missing", Cited::value);
    format!(
        "<div class=\"side\"><small>{side}</small><b>{}</b><small>{}</small></div>",
        markup(value),
        markup(unit)
    )
}

fn source(number: Option<&Cited>) -> String {
    let Some(number) = number else {
        return String::new();
    };
    let cites = number.cites();
    format!(
        "<cite>({}, {})<br>{}</cite>",
        markup(cites.metric_id()),
        cites.tuple_revision_hash(),
        markup(&cites.command())
    )
}

fn section<T>(out: &mut String, title: &str, all: &[T], line: impl Fn(&T) -> String) {
    let _ = writeln!(out, "<h2>{title}</h2>");
    if all.is_empty() {
        out.push_str("<p>none</p>\n");
        return;
    }
    out.push_str("<ul>\n");
    for one in all {
        let _ = writeln!(out, "<li>{}</li>", line(one));
    }
    out.push_str("</ul>\n");
}
