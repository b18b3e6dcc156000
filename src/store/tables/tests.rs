use super::*;

#[test]
fn no_bundle_may_name_a_table_of_the_ledger() {
    let ledger = TABLES.iter().filter(|table| table.kind == Kind::Ledger);
    for table in ledger {
        assert!(
            crate::rules::bundle::is_ledger(table.name),
            "{}",
            table.name
        );
    }
    assert!(crate::rules::bundle::is_ledger("ledger_head"));
}

#[test]
fn no_table_is_listed_twice() {
    let mut names: Vec<_> = TABLES.iter().map(|table| table.name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn statements_number_each_column_once() {
    let columns = ["person_id", "role", "active", "version"];
    assert_eq!(
        write_sql("person_role", &columns, 1),
        "INSERT INTO person_role (person_id, role, active, version) VALUES ($1, $2, $3, $4)"
    );
    assert_eq!(
        write_sql("person_role", &columns, 2),
        "UPDATE person_role SET person_id = $1, role = $2, active = $3, version = $4 \
         WHERE person_id = $1 AND role = $2 AND version = $4 - 1"
    );
    assert!(
        write_sql("publish_snapshots", &["publish_run_id", "version"], 1).starts_with("UPDATE ")
    );
    assert!(
        write_sql("publish_snapshots", &["publish_run_id", "version"], 0).starts_with("INSERT ")
    );
}
