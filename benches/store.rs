//! Measures guarded writes and the verification of the ledger against plain SQL and raw hashing of the same data.
//!
//! Every number is a ratio of two sides measured in one run. SQLite works in a file of the temp folder; PostgreSQL is
//! measured where `GOVDECK_BENCH_DSN` names an empty database, as `scripts/bench` does.

use std::error::Error;
use std::time::{Duration, Instant};

use govdeck::actions::{self, Asked, Outcome};
use govdeck::canon::Digest;
use govdeck::rules::guard::Answer;
use govdeck::store::{Store, ledger, verify};

mod deployment;

use deployment::established;

type Done<T> = Result<T, Box<dyn Error>>;

fn main() -> Done<()> {
    let is_trial = !std::env::args().any(|word| word == "--bench");
    let writes = if is_trial { 5 } else { 500 };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        println!("{writes} guarded writes (add_person), each proposed, confirmed and carried out");
        let folder = tempfile::tempdir()?;
        measure(
            "SQLite",
            &format!("sqlite:{}", folder.path().join("bench.db").display()),
            writes,
        )
        .await?;
        if let Ok(dsn) = std::env::var("GOVDECK_BENCH_DSN") {
            measure("PostgreSQL", &dsn, writes).await
        } else {
            println!("PostgreSQL: not measured, GOVDECK_BENCH_DSN is not set");
            Ok(())
        }
    })
}

async fn measure(name: &str, dsn: &str, writes: u32) -> Done<()> {
    let store = established(dsn).await?;
    // Both sides in turn, so that a machine that slows down slows both.
    let (mut guarded, mut plain) = (Duration::ZERO, Duration::ZERO);
    for n in 0..writes {
        let begun = Instant::now();
        add_person(&store, n).await?;
        guarded += begun.elapsed();
        let begun = Instant::now();
        drop(store.begin().await?);
        plain += begun.elapsed();
    }
    let per_second = |total: Duration, count: f64| count / total.as_secs_f64();
    let writes = f64::from(writes);
    println!(
        "{name}: {:.0} guarded writes a second; {:.1} x the time of an empty locked transaction ({:.0} a second)",
        per_second(guarded, writes),
        guarded.as_secs_f64() / plain.as_secs_f64(),
        per_second(plain, writes)
    );
    let mut view = store.view().await?;
    let begun = Instant::now();
    let report = verify::verify(&mut view, None).await?;
    let verified = begun.elapsed();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let bytes = hashed_bytes(&mut view).await?;
    let begun = Instant::now();
    for bytes in &bytes {
        std::hint::black_box(Digest::of(bytes));
    }
    let raw = begun.elapsed();
    #[expect(clippy::cast_precision_loss, reason = "counts of a bench are small")]
    let (entries, rows) = (report.entries as f64, report.rows as f64);
    println!(
        "{name}: verify {:.0} entries and {:.0} rows a second; {:.0} x raw SHA-256 of the same bytes",
        per_second(verified, entries),
        per_second(verified, rows),
        verified.as_secs_f64() / raw.as_secs_f64()
    );
    drop(view);
    store.close().await;
    Ok(())
}

async fn add_person(store: &Store, n: u32) -> Done<()> {
    let asked = Asked::of(format!("p{n}")).with("name", format!("Person {n}"));
    let proposal = actions::propose(&mut store.view().await?, "add_person", asked).await?;
    let answer = Answer {
        typed: proposal.phrase(),
        reason: Some("because the bench measures it".into()),
    };
    done(actions::carry_out(store, proposal.confirm(&answer)?).await)
}

fn done(outcome: Outcome) -> Done<()> {
    match outcome {
        Outcome::Done(_) => Ok(()),
        other => Err(format!("not done: {other:?}").into()),
    }
}

/// Everything that a verification hashes: entries, images, cards and evidence.
async fn hashed_bytes(view: &mut govdeck::store::View) -> Done<Vec<Vec<u8>>> {
    let mut bytes = Vec::new();
    for entry in ledger::entries(view, 1, 1_000_000).await? {
        let changes = ledger::changes(view, entry.seq, entry.seq).await?;
        let evidence = ledger::evidence(view, entry.seq, entry.seq).await?;
        bytes.push(entry.hashed_bytes(&changes, &evidence)?);
        // Each image is hashed as recorded and as read from its row.
        for change in changes {
            bytes.push(change.after_image.clone().into_bytes());
            bytes.push(change.after_image.into_bytes());
        }
        let filed = evidence.iter().map(|piece| piece.sha256);
        for sha256 in filed.chain([entry.card_sha256]) {
            bytes.extend(govdeck::store::artifact::bytes(view, sha256).await?);
        }
    }
    Ok(bytes)
}
