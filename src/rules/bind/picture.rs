//! The contract as a picture of one page: leadership's joins on the left, the partners' on the right, and between them the
//! metrics that hold both together.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Bound, Proof, Surface, sum};
use crate::rules::text::{markup, shorten};

const WIDTH: usize = 900;
const TOP: usize = 110;
const ROW: usize = 20;
/// How many metrics one page has room for.
const SHOWN: usize = 40;
/// How many joins a side has room for.
const JOINS: usize = 12;
const NAME: usize = 26;

/// Draws a proof as SVG.
#[must_use]
pub fn picture(proof: &Proof) -> String {
    let metrics = in_order_of_trouble(proof);
    let shown = metrics.len().min(SHOWN);
    let height = TOP + ROW * (shown + 3).max(8);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"DejaVu Sans, Verdana, sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    let title = format!(
        "Bind contract {} to {}: {}",
        proof.from_semver,
        proof.to_semver,
        proof.verdict.word().replace('_', " ").to_uppercase()
    );
    text(&mut out, Place::at(20, 34).bold(20), &title);
    let counted = format!(
        "{} metrics, {} findings; beside each metric its rows before and after",
        proof.metrics.len(),
        proof.findings.len()
    );
    text(&mut out, Place::at(20, 58), &counted);
    for (surface, x, bus) in [
        (Surface::Leadership, 20, 240),
        (Surface::PartnerAnnex, 670, 660),
    ] {
        let bound = proof.surfaces.iter().find(|it| it.surface == surface);
        let boxes = joins(&mut out, surface, bound, x);
        rail(&mut out, (x, bus), (boxes, shown));
        counts(&mut out, surface, bound, &metrics[..shown], bus);
    }
    for (at, (metric, wrong)) in metrics[..shown].iter().enumerate() {
        let y = TOP + ROW * at;
        let name = shorten(metric, NAME);
        text(&mut out, Place::at(450, y).middle(), &name);
        if let Some(wrong) = wrong {
            let words = wrong.replace('_', " ").to_uppercase();
            text(&mut out, Place::at(450, y + 10).middle().small(), &words);
        }
    }
    let y = TOP + ROW * shown;
    if metrics.len() > shown {
        let more = format!("and {} more metrics", metrics.len() - shown);
        text(&mut out, Place::at(450, y).middle(), &more);
    }
    if metrics.is_empty() {
        text(&mut out, Place::at(450, y).middle(), "no metric is joined");
    }
    out.push_str("</svg>\n");
    out
}

/// Lists the metrics, those with a finding first, each with what is wrong.
fn in_order_of_trouble(proof: &Proof) -> Vec<(&str, Option<&'static str>)> {
    let mut wrong: BTreeMap<&str, &'static str> = BTreeMap::new();
    for found in &proof.findings {
        if let Some(metric) = &found.metric_id {
            wrong.entry(metric).or_insert(found.reason.word());
        }
    }
    let mut all: Vec<_> = proof
        .metrics
        .iter()
        .map(|metric| (metric.as_str(), wrong.get(metric.as_str()).copied()))
        .collect();
    all.sort_by_key(|(_, wrong)| wrong.is_none());
    all
}

/// Draws the joins of a surface as boxes, and returns how many.
fn joins(out: &mut String, surface: Surface, bound: Option<&Bound>, x: usize) -> usize {
    let heading = surface.word().replace('_', " ");
    text(out, Place::at(x, TOP - 22).bold(14), &heading);
    let Some(bound) = bound else {
        text(out, Place::at(x, TOP), "no join is registered");
        return 0;
    };
    let all = bound.before.iter().map(|join| ("before", join));
    let all = all.chain(bound.after.iter().map(|join| ("after", join)));
    let all: Vec<_> = all.collect();
    for (at, (when, join)) in all.iter().take(JOINS).enumerate() {
        let y = TOP + (ROW + 14) * at;
        let _ = writeln!(
            out,
            "<rect x=\"{x}\" y=\"{}\" width=\"210\" height=\"30\" fill=\"none\" stroke=\"#444444\"/>",
            y - 16
        );
        let name = format!("{when}: {}", shorten(&join.bind_query_id, NAME - 6));
        text(out, Place::at(x + 6, y - 3), &name);
        let under = match &join.rows {
            Ok(rows) => format!(
                "{} metrics, sql {}",
                rows.len(),
                shorten(&join.sql_sha256, 12)
            ),
            Err(_) => "DID NOT RUN".to_owned(),
        };
        text(out, Place::at(x + 6, y + 10).small(), &under);
    }
    if all.len() > JOINS {
        let more = format!("and {} more joins", all.len() - JOINS);
        text(out, Place::at(x, TOP + (ROW + 14) * JOINS), &more);
    }
    all.len().min(JOINS)
}

/// Ties the boxes of a surface to the line that its metrics hang on.
fn rail(out: &mut String, (x, bus): (usize, usize), (boxes, metrics): (usize, usize)) {
    let mut line = |(x1, y1): (usize, usize), (x2, y2): (usize, usize)| {
        let _ = writeln!(out, "<path d=\"M{x1} {y1}L{x2} {y2}\" stroke=\"#444444\"/>");
    };
    if boxes == 0 || metrics == 0 {
        return;
    }
    let edge = if bus > x { bus - 10 } else { x };
    let middle = |at: usize| TOP + (ROW + 14) * at - 1;
    for at in 0..boxes {
        line((edge, middle(at)), (bus, middle(at)));
    }
    let last = (TOP + ROW * (metrics - 1) + 2).max(middle(boxes - 1));
    line((bus, TOP - 1), (bus, last));
}

/// Draws a line from a surface to each metric that it joins, with its rows before and after.
fn counts(
    out: &mut String,
    surface: Surface,
    bound: Option<&Bound>,
    metrics: &[(&str, Option<&'static str>)],
    bus: usize,
) {
    let Some(bound) = bound else {
        return;
    };
    let (before, after) = (sum(&bound.before), sum(&bound.after));
    for (at, (metric, _)) in metrics.iter().enumerate() {
        let rows = |side: &Option<BTreeMap<&str, i64>>| match side {
            None => "?".to_owned(),
            Some(rows) => rows.get(metric).map_or("-".to_owned(), i64::to_string),
        };
        let (was, is) = (rows(&before), rows(&after));
        if was == "-" && is == "-" {
            continue;
        }
        let y = TOP + ROW * at;
        let (from, to, label) = match surface {
            Surface::Leadership => (bus, 350, 262),
            Surface::PartnerAnnex => (550, bus, 572),
        };
        let (stroke, dashed) = if was == is {
            ("#1b6e3c", "")
        } else {
            ("#b00020", " stroke-dasharray=\"6 4\"")
        };
        let _ = writeln!(
            out,
            "<line x1=\"{from}\" y1=\"{}\" x2=\"{to}\" y2=\"{}\" stroke=\"{stroke}\"{dashed}/>",
            y + 2,
            y + 2
        );
        text(
            out,
            Place::at(label, y - 1).small(),
            &format!("{was} to {is}"),
        );
    }
}

/// Where a text stands, and how.
#[derive(Debug, Clone, Copy)]
struct Place {
    x: usize,
    y: usize,
    size: usize,
    weight: &'static str,
    anchor: &'static str,
}

impl Place {
    const fn at(x: usize, y: usize) -> Self {
        Self {
            x,
            y,
            size: 13,
            weight: "normal",
            anchor: "start",
        }
    }

    const fn bold(self, size: usize) -> Self {
        Self {
            size,
            weight: "bold",
            ..self
        }
    }

    const fn small(self) -> Self {
        Self { size: 9, ..self }
    }

    const fn middle(self) -> Self {
        Self {
            anchor: "middle",
            ..self
        }
    }
}

fn text(out: &mut String, place: Place, said: &str) {
    let Place {
        x,
        y,
        size,
        weight,
        anchor,
    } = place;
    let _ = writeln!(
        out,
        "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" font-weight=\"{weight}\" text-anchor=\"{anchor}\" fill=\"#111111\">{}</text>",
        markup(said)
    );
}
