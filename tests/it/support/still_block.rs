//! What the still life says of its selected block: what differs, what happened, and how fast blocks were answered.

use govdeck::console::detail::BlockDetail;
use govdeck::console::picture::{Lately, Picture};
use govdeck::rules::block::{BlockReason, Responses};
use govdeck::rules::drift::{Cell, CellChange, Counts, Drift, SCHEMA, Told};
use govdeck::rules::people::Basis;

use super::still::{at, digest, entry, fill_entry};

fn cell(metric: &str, filter: Option<&str>, change: CellChange) -> Cell {
    Cell {
        metric_id: metric.to_owned(),
        dimension_filter_id: filter.map(str::to_owned),
        change,
        publish_rows: 1,
        source_rows: 1,
    }
}

fn told(side: &str) -> Told {
    Told {
        tuple_hash: digest(side),
        rows: Some(214),
        leaves_sha256: Some(digest(&format!("leaves of {side}"))),
    }
}

/// The selected block.
pub fn detail() -> BlockDetail {
    let decided = entry(
        208,
        "decide_run",
        ("run", "pub-0412"),
        Basis::Rule,
        "01:38:55",
    );
    BlockDetail {
        run: "pub-0412".to_owned(),
        drift: Some(Ok(Drift {
            schema: SCHEMA.to_owned(),
            publish_run_id: "pub-0412".to_owned(),
            publish: told("publish"),
            source: told("source"),
            unexplained: None,
            counts: Some(Counts {
                cells: 214,
                changed: 1,
                added: 0,
                vanished: 1,
            }),
            named: vec![
                cell("MET-0144", Some("platform=quest"), CellChange::Changed),
                cell("MET-0171", None, CellChange::Vanished),
            ],
        })),
        entries: vec![decided],
    }
}

/// More cells than one line names.
pub fn many_cells() -> Vec<Cell> {
    let one = |number: usize| {
        let change = CellChange::ALL[number % CellChange::ALL.len()];
        cell(
            &format!("MET-{number:04}"),
            Some("platform=quest;region=eu"),
            change,
        )
    };
    (1..=30).map(one).collect()
}

/// How fast blocks were answered.
pub fn lately() -> Lately {
    let of = |reason, blocks, answered, breaches, times: Option<(i64, i64)>| Responses {
        reason,
        blocks,
        answered,
        breaches,
        p50_seconds: times.map(|(half, _)| half),
        p95_seconds: times.map(|(_, most)| most),
    };
    Lately {
        since: at("00:00:00").plus_minutes(-28 * 24 * 60),
        responses: vec![
            of(BlockReason::MissingPublishHash, 0, 0, 0, None),
            of(BlockReason::MissingSourceHash, 2, 0, 0, None),
            of(BlockReason::TupleDrift, 21, 18, 3, Some((432, 2_050))),
            of(BlockReason::FooterSchemaDrift, 9, 9, 0, Some((65, 1_204))),
        ],
    }
}

/// Puts one text into all of it that holds text.
pub fn fill(picture: &mut Picture, text: &str) {
    let first = picture.blocks.rows.first();
    let (Some(detail), Some(block)) = (&mut picture.block, first) else {
        return;
    };
    detail.run.clone_from(&block.audit.publish_run_id);
    for entry in &mut detail.entries {
        fill_entry(entry, text);
    }
    if let Some(Ok(drift)) = &mut detail.drift {
        drift.named = many_cells().split_off(22);
        for cell in &mut drift.named {
            text.clone_into(&mut cell.metric_id);
            cell.dimension_filter_id = Some(text.to_owned());
        }
    }
}
