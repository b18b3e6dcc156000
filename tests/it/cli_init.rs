//! `govdeck init` by several at once: one of them establishes, and nobody is told that anything is wrong.

use std::collections::BTreeMap;
use std::thread;

use crate::cli_kit::{at, document, said};
use crate::support::cluster::cluster;
use crate::support::command::Home;
use crate::support::rounds;

/// Lets several processes establish one new place at the same time, many times over.
fn all_at_once(new_place: impl Fn(&Home, u32) -> String) {
    const AT_ONCE: usize = 6;
    for round in 0..rounds().div_ceil(5) {
        let home = Home::new();
        let dsn = new_place(&home, round);
        let runs: Vec<_> = thread::scope(|scope| {
            let init = || at(&home, &dsn, &["init", "--founder", "maya", "--json"]);
            let started: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(init)).collect();
            let ended = started.into_iter().map(thread::ScopedJoinHandle::join);
            ended.map(|run| run.expect("no panic")).collect()
        });
        let mut outcomes = BTreeMap::new();
        for run in &runs {
            let said = document(run, 0, "init");
            assert_eq!(said["ledger"]["seq"], 1, "{run:?}");
            let outcome = said["outcome"].as_str().expect("text").to_owned();
            *outcomes.entry(outcome).or_insert(0) += 1;
        }
        let wanted = [("established", 1), ("unchanged", AT_ONCE - 1)];
        assert_eq!(
            outcomes,
            wanted
                .map(|(outcome, count)| (outcome.to_owned(), count))
                .into()
        );
        let verified = at(&home, &dsn, &["ledger", "verify"]);
        assert!(
            said(&verified, 0).starts_with("the ledger verifies: 1 entries, "),
            "{verified:?}"
        );
    }
}

#[test]
fn of_those_who_init_a_file_at_once_one_establishes() {
    all_at_once(|home, _| format!("sqlite:{}", home.folder().join("x.db").display()));
}

#[test]
fn of_those_who_init_a_server_at_once_one_establishes() {
    cluster().create_login("maya");
    all_at_once(|_, round| {
        let name = format!("cli_init_{round}");
        cluster().create_database(&name, None, "maya");
        cluster().url("maya", &name)
    });
}
