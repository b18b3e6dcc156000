//! A readback as Markdown.

use std::fmt::Write as _;

use super::{Cited, Readback};
use crate::rules::{Verdict, faq, text};

/// Writes a readback as Markdown; text of the database stands in it as text only.
#[must_use]
pub fn markdown(readback: &Readback) -> String {
    let mut out = format!(
        "# Readback of {}\n\n**{}**\n\n",
        plain(&readback.week),
        readback.standing()
    );
    headlines(&mut out, readback);
    section(&mut out, "Runs", &readback.runs, |run| {
        let signers = if run.signers.is_empty() {
            "nobody".to_owned()
        } else {
            run.signers.join(", ")
        };
        let uri = run.artifact_uri.as_deref().unwrap_or("no diff");
        format!(
            "{} of {}: {}, signed by {}, diff {}",
            plain(&run.job_run_id),
            plain(&run.series),
            run.status,
            plain(&signers),
            plain(uri)
        )
    });
    for series in &readback.without_window {
        let _ = writeln!(out, "- {}: NO WINDOW of this week\n", plain(series));
    }
    section(&mut out, "Carve-outs", &readback.carve_outs, |it| {
        format!(
            "bypass {} of freeze {} in {}: {}",
            plain(&it.bypass_audit_id),
            plain(&it.parent_freeze_id),
            plain(&it.job_run_id),
            plain(it.reach())
        )
    });
    section(&mut out, "Override annexes", &readback.annexes, |it| {
        format!(
            "{} lets {} out until {}, by {}: {}",
            plain(&it.annex_id),
            plain(&it.publish_run_id),
            it.expires_at_utc,
            plain(&it.by),
            plain(&it.reason)
        )
    });
    if !readback.addenda.is_empty() {
        section(&mut out, "Addendum", &readback.addenda, |said| plain(said));
    }
    if !readback.notices.is_empty() {
        section(&mut out, "Notices", &readback.notices, |said| plain(said));
    }
    section(&mut out, "Questions", &readback.faq, |it| {
        let question = plain(&it.question);
        match faq::anchor(&it.annex_anchor) {
            Ok(anchor) => format!("[{question}]({anchor}) ({})", plain(&it.metric_id)),
            Err(_) => format!("{question} ({}; its anchor is none)", plain(&it.metric_id)),
        }
    });
    out.push_str("---\n\n");
    for (name, said) in readback.footer.lines() {
        let _ = writeln!(out, "- {name}: {}", plain(&said));
    }
    let _ = writeln!(out, "- made at: {}", readback.made_at_utc);
    out
}

fn headlines(out: &mut String, readback: &Readback) {
    out.push_str("## Headlines\n\n");
    if readback.headlines.is_empty() {
        out.push_str("none: no metric is protected in the runs of this week\n\n");
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
            "- **{}** ({}): leadership {}; partners {}; {agree}. {}",
            plain(&it.label),
            plain(&it.unit),
            number(it.leadership.as_ref()),
            number(it.partner.as_ref()),
            plain(&it.definition)
        );
    }
    out.push('\n');
}

fn number(cited: Option<&Cited>) -> String {
    match cited {
        None => "missing".to_owned(),
        Some(cited) => format!(
            "{} `({}, {})`",
            cited.value(),
            code(cited.cites().metric_id()),
            cited.cites().tuple_revision_hash()
        ),
    }
}

fn section<T>(out: &mut String, title: &str, all: &[T], line: impl Fn(&T) -> String) {
    let _ = writeln!(out, "## {title}\n");
    if all.is_empty() {
        out.push_str("none\n");
    }
    for one in all {
        let _ = writeln!(out, "- {}", line(one));
    }
    out.push('\n');
}

/// Writes text so that it means nothing in Markdown.
fn plain(said: &str) -> String {
    let mut out = String::with_capacity(said.len());
    for character in text::scrub(said).chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            plain => {
                if "\\`*_{}[]()#+!|~".contains(plain) {
                    out.push('\\');
                }
                out.push(plain);
            }
        }
    }
    // Neither an address nor a host becomes a link by itself.
    out.replace("://", "&#58;//").replace("www.", "www&#46;")
}

/// Writes text inside backquotes, which it cannot end.
fn code(said: &str) -> String {
    text::scrub(said).replace('`', "'")
}
