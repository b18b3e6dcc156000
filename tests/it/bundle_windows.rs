//! Maintenance windows for bundles that keep everybody else from writing.

use govdeck::actions::Asked;
use govdeck::rules::bundle_run::{RunOutcome, Tier};

use crate::support::bundle_story::{
    ID, LATER, apply, approve, declared, people, plan_of, register,
};
use crate::support::on_both;

on_both!(
    what_keeps_everybody_from_writing_waits_for_a_window,
    |world| {
        let world = world.where_two_can_agree().await;
        people(&world).await;
        let mut declared = declared(ID);
        declared.scope.allowed_schemas = vec!["main".to_owned()];
        declared.scope.allowed_tables = vec!["main.roads".to_owned()];
        let on_sqlite = |milliseconds: Option<u64>| {
            let mut plan = plan_of(&declared, Tier::Dev);
            for side in [&mut plan.pre, &mut plan.post] {
                side.row_counts.clear();
                for object in &mut side.objects {
                    object.name = object.name.replace("public.", "main.");
                    object.table = object
                        .table
                        .as_ref()
                        .map(|it| it.replace("public.", "main."));
                }
            }
            plan.milliseconds = milliseconds;
            plan
        };
        let window = async |id: &str, starts: &str| {
            let asked = Asked::of(id)
                .with("kind", "maintenance")
                .with("starts", format!("{starts}-01-01T00:00:00Z"))
                .with("ends", "2099-01-01T00:00:00Z")
                .with("title", id);
            world.act("maya", "set_calendar", asked).await.expect("set");
        };
        let refused = |asked: Result<(), String>, why: &str| {
            let said = asked.expect_err("refused");
            assert!(
                said.contains("maintenance_window") && said.contains(why),
                "{said}"
            );
        };
        for (milliseconds, why) in [(None, "nobody measured"), (Some(5_001), "was ever set")] {
            register(&world, &on_sqlite(milliseconds))
                .await
                .expect("registered");
            refused(approve(&world, ID, Tier::Dev).await, why);
        }
        window("later", "2090").await;
        approve(&world, ID, Tier::Dev).await.expect("approved");
        world
            .act("lee", "merge_bundle", Asked::of(ID))
            .await
            .expect("merged");
        let now = || apply(&world, ID, Tier::Dev, RunOutcome::Applied);
        refused(now().await.map(drop), "outside of every maintenance window");
        window("now", "2020").await;
        now().await.expect("made inside the window");
        // What takes five seconds needs none.
        let quick = LATER;
        let mut plan = on_sqlite(Some(5_000));
        plan.declaration = plan.declaration.replace(ID, quick);
        register(&world, &plan).await.expect("registered");
        for id in ["later", "now"] {
            let called_off = world.act("maya", "cancel_calendar", Asked::of(id)).await;
            called_off.expect("called off");
        }
        approve(&world, quick, Tier::Dev).await.expect("approved");
        world.assert_sound().await;
    }
);
