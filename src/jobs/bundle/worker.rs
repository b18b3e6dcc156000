//! Who makes the changes of a bundle: the runner of SQL at a database, and a driver at every other store.

use crate::bundles::driver::{self, Driver};
use crate::bundles::sql::{
    Applied, Change, Difference, Failed, Mode, Ready, RolledBack, Script, Target, WayBack,
};
use crate::bundles::{Observed, Progress, Step};
use crate::rules::bundle::{Baseline, Check, CheckStatus, Declaration, Finding, RunType};
use crate::rules::bundle_run::{RunOutcome, Script as Registered};
use crate::rules::text;
use crate::store::StoreError;

use super::{Order, Ran, Worker};

const NOT_RECORDED: &str = "what the store looked like before was not recorded";

/// A worker at a store, for one bundle.
pub struct AtStore {
    pub(super) place: Place,
    pub(super) declaration: Declaration,
    pub(super) progress: Progress,
}

/// Where a worker is at work.
pub(super) enum Place {
    /// At a database.
    Sql(Target),
    /// At whatever a driver reaches.
    Driven(Driver),
}

impl AtStore {
    /// Returns what the store looks like now.
    pub async fn baseline(&self) -> Result<Baseline, StoreError> {
        match &self.place {
            Place::Sql(target) => target.baseline(&self.declaration.scope).await,
            Place::Driven(driver) => {
                let looks = driver::Change::of(&self.declaration, &[]);
                Ok(driver.baseline(&looks).await?)
            }
        }
    }
}

impl Worker for AtStore {
    async fn run(&self, order: &Order) -> Result<Ran, StoreError> {
        let scripts: Vec<Registered> = order
            .files
            .iter()
            .skip(1)
            .map(|piece| Registered {
                path: piece.path.clone(),
                text: String::from_utf8_lossy(&piece.bytes).into_owned(),
            })
            .collect();
        self.tell(Step::Look);
        let now = self.baseline().await?;
        if let Some(ran) = order.ends_at_once(&now) {
            return Ok(ran);
        }
        let declaration = &self.declaration;
        match (&self.place, order.run_type) {
            (Place::Sql(target), RunType::Rollback) => {
                take_back(target, declaration, &scripts, order).await
            }
            (Place::Sql(target), _) => make(target, declaration, &scripts, order).await,
            (Place::Driven(driver), run_type) => {
                self.tell(Step::Drive);
                if run_type == RunType::Rollback {
                    drive_back(driver, declaration, &scripts, order).await
                } else {
                    drive(driver, declaration, &scripts).await
                }
            }
        }
    }

    fn tell(&self, step: Step) {
        self.progress.tell(step);
    }
}

impl Order {
    /// Says how a run ends whose store does not look as it would have to, or does so already; nothing is done then.
    fn ends_at_once(&self, now: &Baseline) -> Option<Ran> {
        let is = |other: &Option<Baseline>| {
            let there = other.as_ref().map(|it| &it.schema_fingerprint);
            there == Some(&now.schema_fingerprint)
        };
        let ends = |outcome, why: &str| {
            Some(Ran {
                outcome,
                pre: Some(now.clone()),
                post: Some(now.clone()),
                ..Ran::failed(why)
            })
        };
        match (self.run_type, is(&self.before), is(&self.after)) {
            (RunType::Rollback, true, _) if self.reshapes => {
                ends(RunOutcome::RolledBack, "there was nothing to take back")
            }
            (RunType::Rollback, false, false) if self.after.is_some() => ends(
                RunOutcome::Failed,
                "the store is not what the run left: take back first what came after it",
            ),
            (RunType::Rollback, ..) | (_, true, _) => None,
            (_, false, true) => ends(
                RunOutcome::Interrupted,
                "the change is there already: whoever made it never came back",
            ),
            (_, false, false) => ends(RunOutcome::Refused, "the store is not what the plan saw"),
        }
    }
}

/// Cuts the scripts that lead one way.
pub(super) fn cut(
    target: &Target,
    scripts: &[Registered],
    paths: &[String],
) -> Result<Script, Vec<Finding>> {
    let find = |path: &String| scripts.iter().find(|script| script.path == *path);
    let files: Vec<(&str, &str)> = paths
        .iter()
        .filter_map(find)
        .map(|script| (&*script.path, &*script.text))
        .collect();
    Script::read(target.dialect(), &files)
}

async fn make(
    target: &Target,
    declaration: &Declaration,
    scripts: &[Registered],
    order: &Order,
) -> Result<Ran, StoreError> {
    let forward = match cut(target, scripts, &declaration.artifacts.forward) {
        Ok(forward) => forward,
        Err(findings) => return Ok(Ran::refused(&findings)),
    };
    if forward.mode() == Mode::Outside {
        return make_one_by_one(target, declaration, scripts, &forward).await;
    }
    let change = Change {
        declaration,
        forward: &forward,
        rollback: None,
    };
    Ok(match target.apply(change).await? {
        Applied::Ready(ready) => {
            let seen = &ready.observed.pre.schema_fingerprint;
            let planned = order.before.as_ref().map(|it| &it.schema_fingerprint);
            if planned == Some(seen) {
                Ran::seen(&ready.observed.clone(), RunOutcome::Applied).holding(ready)
            } else {
                let observed = ready.give_up().await?;
                let mut ran = Ran::seen(&observed, RunOutcome::Refused);
                ran.detail = Some("the store is not what the plan saw".to_owned());
                ran
            }
        }
        Applied::Refused { findings, observed } => {
            let mut ran = observed.map_or_else(
                || Ran::refused(&findings),
                |observed| Ran::seen(&observed, RunOutcome::Refused),
            );
            ran.detail = Some(all_of(&findings));
            ran
        }
        Applied::Failed(failed) => Ran::failed(failed.to_string()),
    })
}

/// Makes a change whose statements commit one by one; what failed or went too far is taken back by the scripts for that.
async fn make_one_by_one(
    target: &Target,
    declaration: &Declaration,
    scripts: &[Registered],
    forward: &Script,
) -> Result<Ran, StoreError> {
    let rollback = match declaration.artifacts.rollback.as_slice() {
        [] => None,
        paths => match cut(target, scripts, paths) {
            Ok(script) => Some(script),
            Err(findings) => return Ok(Ran::refused(&findings)),
        },
    };
    let change = Change {
        declaration,
        forward,
        rollback: rollback.as_ref(),
    };
    let stepped = match target.apply_outside(change).await? {
        Ok(stepped) => stepped,
        Err(findings) => return Ok(Ran::refused(&findings)),
    };
    let outcome = match (&stepped.way_back, &stepped.failed) {
        (None, _) => RunOutcome::Applied,
        (Some(WayBack::Same { .. }), Some(_)) => RunOutcome::Failed,
        (Some(WayBack::Same { .. }), None) => RunOutcome::Refused,
        (Some(_), _) => RunOutcome::RollbackFailed,
    };
    let mut why: Vec<String> = stepped.failed.iter().map(Failed::to_string).collect();
    why.extend(stepped.observed.findings.iter().map(said));
    let dropped = stepped.dropped.iter();
    why.extend(dropped.map(|name| format!("{name} was half made, and was dropped")));
    why.extend(stepped.way_back.and_then(not_back));
    let mut ran = Ran::seen(&stepped.observed, outcome);
    ran.detail = (!why.is_empty()).then(|| why.join("; "));
    Ok(ran)
}

async fn take_back(
    target: &Target,
    declaration: &Declaration,
    scripts: &[Registered],
    order: &Order,
) -> Result<Ran, StoreError> {
    let Some(recorded) = &order.before else {
        return Ok(Ran::failed(NOT_RECORDED));
    };
    let script = match cut(target, scripts, &declaration.artifacts.rollback) {
        Ok(script) => script,
        Err(findings) => return Ok(Ran::refused(&findings).at_a_dead_end()),
    };
    if script.mode() == Mode::Outside {
        let pre = target.baseline(&declaration.scope).await?;
        let back = target.roll_back_outside(declaration, &script, recorded);
        let why = not_back(back.await?);
        let outcome = match why {
            None => RunOutcome::RolledBack,
            Some(_) => RunOutcome::RollbackFailed,
        };
        return Ok(Ran {
            outcome,
            pre: Some(pre),
            post: Some(target.baseline(&declaration.scope).await?),
            detail: why,
            ..Ran::failed("")
        });
    }
    let back = target.roll_back(declaration, &script, recorded).await?;
    Ok(match back {
        RolledBack::Ready(ready) => {
            Ran::seen(&ready.observed.clone(), RunOutcome::RolledBack).holding(ready)
        }
        RolledBack::Differs {
            observed,
            differences,
        } => {
            let mut ran = Ran::seen(&observed, RunOutcome::RollbackFailed);
            let mut why: Vec<String> = differences.iter().map(Difference::to_string).collect();
            why.extend(observed.findings.iter().map(said));
            ran.detail = Some(why.join("; "));
            ran
        }
        // Somebody else held what it needs: nothing was done, and it may be tried again.
        RolledBack::Failed(failed) if failed.is_busy => Ran::failed(failed.to_string()),
        RolledBack::Failed(failed) => Ran::failed(failed.to_string()).at_a_dead_end(),
    })
}

async fn drive(
    driver: &Driver,
    declaration: &Declaration,
    scripts: &[Registered],
) -> Result<Ran, StoreError> {
    let change = driver::Change::of(declaration, scripts);
    let ran = driver.run(declaration, &change).await?;
    let outcome = match (&ran.rolled_back, &ran.trouble) {
        (driver::RolledBack::Failed(_), _) => RunOutcome::RollbackFailed,
        (_, Some(_)) => RunOutcome::Failed,
        _ if ran.passed() => RunOutcome::Applied,
        _ => RunOutcome::Refused,
    };
    let findings = ran.observed.as_ref().map(|it| &*it.findings);
    let findings = findings.unwrap_or_default();
    let mut why: Vec<String> = findings.iter().map(said).collect();
    why.extend(ran.trouble.iter().map(|trouble| trouble.sentence.clone()));
    if let driver::RolledBack::Failed(back) = &ran.rolled_back {
        why.push(back.clone());
    }
    let mut told = Ran::failed(why.join("; "));
    told.outcome = outcome;
    told.checks = checks(findings);
    told.detail = (!why.is_empty()).then(|| why.join("; "));
    if let Some(observed) = ran.observed {
        told.post = Some(observed.post);
        told.rows = observed.rows;
    }
    told.pre = Some(ran.pre);
    Ok(told)
}

async fn drive_back(
    driver: &Driver,
    declaration: &Declaration,
    scripts: &[Registered],
    order: &Order,
) -> Result<Ran, StoreError> {
    let Some(recorded) = &order.before else {
        return Ok(Ran::failed(NOT_RECORDED));
    };
    let change = driver::Change::of(declaration, scripts);
    let pre = driver.baseline(&change).await?;
    let mut ran = Ran::failed(String::new());
    (ran.outcome, ran.detail) = match driver.take_back(&change, recorded).await {
        driver::RolledBack::Failed(why) => (RunOutcome::RollbackFailed, Some(why)),
        _ => (RunOutcome::RolledBack, None),
    };
    ran.post = driver.baseline(&change).await.ok();
    ran.pre = Some(pre);
    Ok(ran)
}

impl Ran {
    fn refused(findings: &[Finding]) -> Self {
        Self {
            outcome: RunOutcome::Refused,
            checks: checks(findings),
            ..Self::failed(all_of(findings))
        }
    }

    fn seen(observed: &Observed, outcome: RunOutcome) -> Self {
        Self {
            outcome,
            pre: Some(observed.pre.clone()),
            post: Some(observed.post.clone()),
            rows: observed.rows.clone(),
            checks: checks(&observed.findings),
            detail: None,
            held: None,
        }
    }

    fn holding(self, ready: Box<Ready>) -> Self {
        Self {
            held: Some(ready),
            ..self
        }
    }

    /// What was to lead back does not: nothing more runs there.
    fn at_a_dead_end(self) -> Self {
        Self {
            outcome: RunOutcome::RollbackFailed,
            ..self
        }
    }
}

/// Says why a way back did not lead back.
pub(super) fn not_back(way_back: WayBack) -> Option<String> {
    match way_back {
        WayBack::Same { .. } => None,
        WayBack::None => Some("there are no scripts that take it back".to_owned()),
        WayBack::Differs(differences) => {
            let all: Vec<_> = differences.iter().map(Difference::to_string).collect();
            Some(all.join("; "))
        }
        WayBack::Failed(failed) => Some(failed.to_string()),
    }
}

/// Says one finding in a line.
pub(super) fn said(finding: &Finding) -> String {
    format!(
        "{} {}: {}",
        finding.reason,
        text::scrub(&finding.path),
        text::scrub(&finding.detail)
    )
}

fn all_of(findings: &[Finding]) -> String {
    let all: Vec<String> = findings.iter().map(said).collect();
    all.join("; ")
}

/// Tells of each reason that was found, and that the scope was kept to where none was.
fn checks(findings: &[Finding]) -> Vec<Check> {
    if findings.is_empty() {
        return vec![Check {
            name: "within_declaration".to_owned(),
            status: CheckStatus::Pass,
            detail: None,
        }];
    }
    let check = |finding: &Finding| Check {
        name: finding.reason.to_string(),
        status: CheckStatus::Fail,
        detail: Some(said(finding)),
    };
    findings.iter().map(check).collect()
}
