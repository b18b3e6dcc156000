//! Every role against every action, on all three walls: what is proposed, what is confirmed, and what the database takes.

use govdeck::actions::{self, Asked, ByRule, Stop};
use govdeck::rules::Verdict;
use govdeck::rules::drill::DrillKind;
use govdeck::rules::guard::Answer;
use govdeck::rules::people::{Basis, Role};
use govdeck::rules::permission::{self, MATRIX, Permission};
use govdeck::rules::week::{self, Pair};

use crate::docs::{assert_current, row};
use crate::support::bundle_story;
use crate::support::cluster::cluster;
use crate::support::dictionary;
use crate::support::migration_story;
use crate::support::weeks::by_rule;
use crate::support::{REASON, World, on_both};

/// One person for each role, who holds that role and no other.
fn holder(role: Role) -> String {
    format!("only_{role}")
}

async fn with_a_holder_of_each_role(world: &World) {
    for role in Role::ALL {
        let person = holder(*role);
        if world.is_postgres() {
            cluster().create_login(&person);
        }
        let asked = Asked::of(&*person).with("name", "Somebody");
        world.act("maya", "add_person", asked).await.expect("added");
        let asked = Asked::of(&*person).with("role", role.word());
        world
            .act("maya", "grant_role", asked)
            .await
            .expect("granted");
    }
    if world.is_postgres() {
        for role in Role::ALL {
            let person = holder(*role);
            world.owner_sql(&format!(
                "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {person}"
            ));
        }
    }
}

fn route(id: &str) -> Asked {
    Asked::of(id)
        .with("for", "tuple_drift")
        .with("owner", "lee")
        .with("backup", "kim")
}

/// What to ask of each action so that nothing but the role decides whether it is proposed with all conditions met.
async fn asked(world: &World, verb: &str) -> Option<Asked> {
    let soon = govdeck::clock::Moment::on_this_workstation().plus_minutes(60);
    let bypass = |id: &str| {
        Asked::of(id)
            .with("freeze", "fz-1")
            .with("expires", soon.to_string())
    };
    Some(match verb {
        "add_person" => Asked::of("somebody").with("name", "Somebody"),
        "deactivate_person" => Asked::of("kim"),
        "grant_role" => Asked::of("kim").with("role", "viewer"),
        "revoke_role" => Asked::of("lee").with("role", "on_call"),
        "register_footer" => Asked::of("v9.0.0"),
        "set_attestation" => Asked::of("review").with("minimum", "signed"),
        "bypass_freeze" => bypass("chg-7"),
        "arm_console" => Asked::of("c-7"),
        "propose_route" => route("rc-1"),
        "ack_route" | "decline_route" => {
            let waiting = "SELECT route_change_id FROM route_change";
            if world.rows(waiting).is_empty() {
                world
                    .act("maya", "propose_route", route("rc-2"))
                    .await
                    .expect("proposed");
            }
            Asked::of("rc-2")
        }
        "approve" | "decline" => {
            let waiting = "SELECT ticket FROM approval_request";
            if world.rows(waiting).is_empty() {
                world
                    .act("maya", "bypass_freeze", bypass("chg-8"))
                    .await
                    .expect("proposed");
            }
            Asked::of(world.rows(waiting).remove(0))
        }
        "register_series" => Asked::of("other").with("first", soon.to_string()),
        "retire_series" => {
            red(world).await;
            Asked::of("sla")
        }
        "declare_bootstrap" | "ack_run" => Asked::of(red(world).await.0),
        "attach_remediation" => Asked::of(red(world).await.0)
            .with("id", "rem-1")
            .with("evidence", "ETL-77 fixed"),
        "override_run" => Asked::of(red(world).await.0).with("audit", "aud-1"),
        "acknowledge_incident" => Asked::of(red(world).await.1),
        "leave_red" => Asked::of(red(world).await.1).with("evidence", "rem-1"),
        "annex_run" => Asked::of("pub-1")
            .with("audit", "aud-1")
            .with("expires", soon.to_string()),
        "adopt_policy" => Asked::of("eps-1")
            .with("document", "{}")
            .with("release", "2.4.0")
            .with("soft", "0.05")
            .with("hard", "0.1")
            .with("floor", "1")
            .with("backtest", backtest()),
        "release_dictionary" => dictionary::asked(&dictionary::document("2.4.0")),
        "register_bind_query" => Asked::of("rollup/2.4.0")
            .with("surface", "leadership")
            .with("sql", "SELECT metric_id FROM metric_dictionary"),
        "register_annex_view" => Asked::of("annex-1")
            .with("release", "2.4.0")
            .with("footer", "1.3.0")
            .with("sql", "SELECT metric_id FROM metric_dictionary"),
        "put_faq" => Asked::of("faq-1")
            .with("metric", "MET-0144")
            .with("question", "When does a response count as late?")
            .with("anchor", "annex.html#met-0144"),
        "retire_faq" => {
            dictionary::released(world).await;
            if world.rows("SELECT 1 FROM faq_rows").is_empty() {
                dictionary::ask(world, "faq-1", "MET-0144")
                    .await
                    .expect("put");
            }
            Asked::of("faq-1")
        }
        // There is none before a migration is three days in dual write: `dual_write` tells of it; and none to deploy anew
        // before one is taken back after its cutover: `migration_trigger` does.
        "close_deficiency" | "close_redeploy_task" => return None,
        "answer_drill" => {
            let practised = "SELECT drill_id FROM drill_record";
            if world.rows(practised).is_empty() {
                let rule = ByRule::Practise {
                    drill: "drill-1".to_owned(),
                    kind: DrillKind::DoubleSkip,
                };
                by_rule(world, "maya", rule).await.expect("practised");
            }
            Asked::of("drill-1")
        }
        verb => {
            bundle_story::at_each_step(world).await;
            migration_story::with_something_to_do(world).await;
            return bundle_story::asked_at_each_step(world, verb)
                .or_else(|| migration_story::asked_at_each_step(world, verb));
        }
    })
}

fn backtest() -> String {
    let pair = Pair {
        soft: "0.05".to_owned(),
        hard: "0.1".to_owned(),
        floor: "1".to_owned(),
    };
    serde_json::to_string(&week::backtest(&pair, &[])).expect("JSON")
}

/// Skips two windows of a series, which makes it red; returns the first run and the incident.
async fn red(world: &World) -> (String, String) {
    let runs = "SELECT job_run_id FROM reconciliation_window ORDER BY scheduled_at";
    if world.rows(runs).is_empty() {
        let first = govdeck::clock::Moment::on_this_workstation();
        let asked = Asked::of("sla").with("first", first.to_string());
        world
            .act("maya", "register_series", asked)
            .await
            .expect("registered");
        for weeks in 0..2 {
            let at = first.plus_minutes(weeks * 7 * 24 * 60);
            let rule = ByRule::PlanWindow {
                series: "sla".to_owned(),
                at,
            };
            by_rule(world, "maya", rule).await.expect("planned");
            let run = world.rows(runs).pop().expect("a run");
            let asked = Asked::of(run).with("because", "maintenance");
            world
                .act("maya", "skip_window", asked)
                .await
                .expect("skipped");
        }
    }
    let run = world.rows(runs).remove(0);
    let incident = world
        .rows("SELECT incident_id FROM reconciliation_incident")
        .remove(0);
    (run, incident)
}

on_both!(a_role_opens_exactly_what_the_matrix_says, |world| {
    let world = world.where_two_can_agree().await;
    with_a_holder_of_each_role(&world).await;
    let mut tried = 0;
    for permission in MATRIX
        .iter()
        .filter(|permission| !permission.roles.is_empty())
    {
        let Some(asked) = asked(&world, permission.verb).await else {
            let told_elsewhere = [
                permission::ASK_APPROVAL,
                permission::CLOSE_DEFICIENCY,
                permission::CLOSE_REDEPLOY_TASK,
            ];
            assert!(told_elsewhere.contains(permission), "{}", permission.verb);
            continue;
        };
        for role in Role::ALL {
            let store = world.store(&holder(*role)).await;
            let mut view = store.view().await.expect("a view");
            let proposal = actions::propose(&mut view, permission.verb, asked.clone())
                .await
                .expect("proposed");
            drop(view);
            let may = permission.roles.contains(role);
            let verdict = proposal
                .conditions()
                .iter()
                .find(|condition| condition.id == "role")
                .map(|condition| condition.verdict);
            assert_eq!(
                verdict,
                Some(Verdict::of(may)),
                "{} {role}",
                permission.verb
            );
            let answer = Answer {
                typed: proposal.phrase(),
                reason: Some(REASON.to_owned()),
            };
            if !may {
                assert!(matches!(proposal.confirm(&answer), Err(Stop::Refused(_))));
            }
            store.close().await;
            tried += 1;
        }
    }
    assert_eq!(tried, 58 * Role::ALL.len());
    world.assert_sound().await;
});

/// Tries to write an entry past the program, as somebody who holds one role, and returns what the database says.
fn write_past(
    world: &World,
    permission: &Permission,
    actor: &str,
    second: Option<&str>,
    card: &str,
) -> String {
    let writer = second.unwrap_or(actor);
    let attestation = if world.is_postgres() {
        "login"
    } else {
        "unattested"
    };
    let second = second.map_or("NULL".to_owned(), |second| format!("'{second}'"));
    let insert = format!(
        "INSERT INTO governance_ledger (seq, ticket, action, basis, actor_id, login, attestation, target_kind, target_id, \
         target_version, state_hash, card_sha256, reason, change_count, evidence_count, at_utc, clock_anomaly, prev_hash, hash, approved_by) \
         SELECT seq + 1, '{}', '{}', '{}', '{actor}', '{writer}', '{attestation}', 'x', 'x', 0, hash, '{card}', NULL, 0, 0, at_utc, FALSE, hash, '{}', {second} \
         FROM ledger_head",
        "a".repeat(32),
        permission.verb,
        permission.basis,
        "b".repeat(64),
    );
    match world.sql_as(writer, &format!("BEGIN; {insert}; ROLLBACK;")) {
        Ok(_) => String::new(),
        Err(said) => said,
    }
}

const NOT_ALLOWED: &str = "a person does only what their roles allow";

on_both!(
    the_database_lets_a_role_write_exactly_what_the_matrix_says,
    |world| {
        with_a_holder_of_each_role(&world).await;
        let card = world.add_evidence().to_string();
        for permission in MATRIX
            .iter()
            .filter(|permission| permission.basis == Basis::Person)
        {
            for role in Role::ALL {
                let said = write_past(&world, permission, &holder(*role), None, &card);
                let may = permission.roles.is_empty() || permission.roles.contains(role);
                let context = format!("{} {role}: {said}", permission.verb);
                assert_eq!(said.contains(NOT_ALLOWED), !may, "{context}");
                if may && permission.needs_two() {
                    assert!(said.contains("what needs two persons has two"), "{context}");
                } else if may {
                    assert_eq!(said, "", "{context}");
                }
            }
        }
        for permission in MATRIX
            .iter()
            .filter(|permission| permission.basis == Basis::Rule)
        {
            let as_person = Permission {
                basis: Basis::Person,
                ..*permission
            };
            let said = write_past(
                &world,
                &as_person,
                &holder(Role::GovernanceLead),
                None,
                &card,
            );
            assert!(said.contains(NOT_ALLOWED), "{}: {said}", permission.verb);
        }
        let made_up = Permission {
            verb: "made_up",
            ..permission::ADD_PERSON
        };
        let said = write_past(&world, &made_up, "maya", None, &card);
        assert!(said.contains(NOT_ALLOWED), "{said}");
    }
);

on_both!(
    the_database_takes_a_second_person_for_nothing_that_waits_for_none,
    |world| {
        with_a_holder_of_each_role(&world).await;
        let card = world.add_evidence().to_string();
        let lead = holder(Role::GovernanceLead);
        for (permission, second, says) in [
            (
                &permission::ADD_PERSON,
                Role::EngineeringLead,
                "has two who hold its roles, and nothing else has",
            ),
            (
                &permission::BYPASS_FREEZE,
                Role::OpsLead,
                "has two who hold its roles",
            ),
            (
                &permission::SET_ATTESTATION,
                Role::EngineeringLead,
                "has two who hold its roles",
            ),
            (
                &permission::BYPASS_FREEZE,
                Role::EngineeringLead,
                "says yes to what waits for it",
            ),
        ] {
            // What the database says first depends on the order of its walls; unattested seconds count nowhere but in a demo.
            let said = write_past(&world, permission, &lead, Some(&holder(second)), &card);
            let never_unattested =
                said.contains("never unattested but in a demo") && !world.is_postgres();
            assert!(
                said.contains(says) || never_unattested,
                "{} {second}: {said}",
                permission.verb
            );
        }
        let own = write_past(
            &world,
            &permission::BYPASS_FREEZE,
            &lead,
            Some(&lead),
            &card,
        );
        assert!(!own.is_empty());
    }
);

/// Writes one row of the permission matrix: what each role may do with an action, alone or as one of two.
fn permission_row(permission: &Permission) -> String {
    let roles: Vec<_> = Role::ALL
        .iter()
        .map(|role| {
            let may = permission.roles.contains(role).then_some("yes");
            let second = permission.two.contains(role).then_some("2nd");
            [may, second]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(", ")
        })
        .collect();
    let verb = format!("`{}`", permission.verb);
    let mut cells = vec![
        verb.as_str(),
        permission.basis.word(),
        permission.level.word(),
    ];
    cells.extend(roles.iter().map(String::as_str));
    cells.push(permission.besides);
    row(&cells)
}

#[test]
fn the_matrix_of_permissions_is_current() {
    let mut heads = vec!["action", "basis", "level"];
    heads.extend(Role::ALL.iter().map(|role| role.word()));
    heads.push("besides");
    let mut table = row(&heads);
    table.push_str(&row(&vec!["---"; heads.len()]));
    for permission in MATRIX {
        table.push_str(&permission_row(permission));
    }
    assert_current("docs/people.md", &table);
}
