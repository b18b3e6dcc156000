//! The conformance suite: what a driver must do, tried on a driver.
//!
//! The first half needs no store. The second half makes a change on the store that the driver is given the address of and
//! takes it back; what could not be tried is said, and is never a pass.

use super::protocol::{Answer, Ask, Code, PROTOCOL};
use super::run::apart;
use super::{Change, Driver, DriverError, Trouble};
use crate::rules::Verdict;
use crate::rules::bundle::Baseline;
use crate::rules::bundle_run::Script;

/// One thing that a driver must do, and whether it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// A fixed word.
    pub name: &'static str,
    /// Pass, fail, or not run.
    pub verdict: Verdict,
    /// What was found.
    pub detail: String,
}

impl Check {
    fn new(name: &'static str, verdict: Verdict, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            name,
            verdict,
            detail,
        }
    }

    fn not_run(name: &'static str, why: &str) -> Self {
        Self::new(name, Verdict::CannotTell, format!("not run: {why}"))
    }
}

/// The checks that need a store, in their order.
const WITH_A_STORE: [&str; 6] = [
    "baseline_repeats",
    "plan_leaves_nothing",
    "bad_script_changes_nothing",
    "forward_does_what_plan_said",
    "baseline_shows_the_change",
    "rollback_leads_back",
];

/// Tries a driver; without a change, what needs one is said to be not run.
pub async fn conformance(driver: &Driver, change: Option<&Change>) -> Vec<Check> {
    let mut checks = vec![hello(driver).await];
    for (name, document, code) in refusals() {
        checks.push(refuses(driver, name, document, code).await);
    }
    let more = match change {
        Some(change) => with_store(driver, change).await,
        None => not_run(&WITH_A_STORE, "no bundle was given"),
    };
    checks.extend(more);
    checks
}

fn not_run(names: &[&'static str], why: &str) -> Vec<Check> {
    names.iter().map(|name| Check::not_run(name, why)).collect()
}

async fn hello(driver: &Driver) -> Check {
    match driver.hello().await {
        Ok(hello) => {
            let said = format!("{} {}", hello.name, hello.version);
            Check::new("hello", Verdict::Pass, said)
        }
        Err(error) => Check::new("hello", Verdict::Fail, error.sentence),
    }
}

/// The id of the requests below; where it can be read it must be repeated.
const ID: &str = "00c0ffee";

/// What is no request of this version, and how it must be refused.
fn refusals() -> Vec<(&'static str, Vec<u8>, Code)> {
    let good = format!(r#"{{"protocol":"{PROTOCOL}","id":"{ID}","request":"hello"}}"#);
    let change = |from: &str, to: &str| good.replace(from, to).into_bytes();
    let bad = Code::BadRequest;
    vec![
        (
            "unknown_request_refused",
            change("hello", "no-such-request"),
            Code::UnknownRequest,
        ),
        (
            "future_version_refused",
            change(".v1", ".v999"),
            Code::UnsupportedProtocol,
        ),
        (
            "unknown_field_refused",
            change("\"id\"", "\"surplus\":1,\"id\""),
            bad,
        ),
        ("missing_work_refused", change("hello", "apply"), bad),
        (
            "equal_keys_refused",
            change("\"id\"", "\"id\":\"1\",\"id\""),
            bad,
        ),
        ("second_document_refused", good.repeat(2).into_bytes(), bad),
        (
            "half_document_refused",
            good.as_bytes()[..good.len() / 2].to_vec(),
            bad,
        ),
        (
            "garbage_refused",
            b"\x00\xff{]\xfe garbage".repeat(1000),
            bad,
        ),
        ("silence_refused", Vec::new(), bad),
    ]
}

async fn refuses(driver: &Driver, name: &'static str, document: Vec<u8>, code: Code) -> Check {
    let bytes = match driver.send(document).await {
        Ok(bytes) => bytes,
        Err(error) => return Check::new(name, Verdict::Fail, error.sentence),
    };
    match Answer::read(&bytes, ID, Ask::Hello) {
        Ok(Answer::Error(said)) if said.code == code => Check::new(
            name,
            Verdict::Pass,
            format!("{}: {}", said.code, said.message),
        ),
        Ok(Answer::Error(said)) => {
            let what = format!("refused as {} instead of {code}", said.code);
            Check::new(name, Verdict::Fail, what)
        }
        Ok(_) => Check::new(name, Verdict::Fail, "it was taken for a request"),
        Err(what) => Check::new(name, Verdict::Fail, what),
    }
}

/// How far the checks with a store came: those that were tried, and why not the others.
struct Progress {
    checks: Vec<Check>,
    stopped: Option<String>,
}

impl Progress {
    fn note(&mut self, verdict: Result<String, String>) {
        let name = WITH_A_STORE[self.checks.len()];
        self.checks.push(match verdict {
            Ok(found) => Check::new(name, Verdict::Pass, found),
            Err(found) => Check::new(name, Verdict::Fail, found),
        });
    }

    /// A store that is not there fails no driver; it lets nothing be told.
    fn stop(&mut self, error: &DriverError) {
        let reached = !matches!(
            error.trouble,
            Trouble::Said(Code::Unreachable) | Trouble::NotConfigured
        );
        if reached {
            self.note(Err(error.sentence.clone()));
        }
        self.stopped = Some(error.sentence.clone());
    }

    fn finish(mut self) -> Vec<Check> {
        let why = self.stopped.unwrap_or_default();
        let rest = &WITH_A_STORE[self.checks.len()..];
        self.checks.extend(not_run(rest, &why));
        self.checks
    }
}

fn same(one: &Baseline, other: &Baseline, good: &str) -> Result<String, String> {
    apart(one, other).map_or_else(|| Ok(good.to_owned()), Err)
}

async fn with_store(driver: &Driver, change: &Change) -> Vec<Check> {
    let mut progress = Progress {
        checks: Vec::new(),
        stopped: None,
    };
    if let Err(error) = try_all(driver, change, &mut progress).await {
        progress.stop(&error);
    }
    progress.finish()
}

async fn try_all(
    driver: &Driver,
    change: &Change,
    progress: &mut Progress,
) -> Result<(), DriverError> {
    let pre = driver.baseline(change).await?;
    let again = driver.baseline(change).await?;
    progress.note(if pre == again {
        Ok(format!("twice {}", pre.schema_fingerprint))
    } else {
        Err("two looks at the same store differ".to_owned())
    });

    let plan = driver.rehearse(change).await?;
    let after = driver.baseline(change).await?;
    let nothing_left = same(&pre, &after, "the store is as before").and_then(|found| {
        same(&pre, &plan.pre, &found)?;
        match &plan.back {
            Some(back) => same(
                &pre,
                back,
                "the store is as before, and the way back was tried",
            ),
            None => Err("the way back was not tried".to_owned()),
        }
    });
    progress.note(nothing_left);

    progress.note(bad_script(driver, change, &pre).await?);

    let changed = driver.forward(change).await;
    let post = driver.baseline(change).await;
    if changed.is_err() && post.as_ref().is_ok_and(|post| apart(&pre, post).is_none()) {
        return changed.map(drop);
    }
    // Whatever else is found from here on, the way back is taken.
    let rolled_back = driver.rollback(change).await;
    let back = driver.baseline(change).await;
    let (changed, post) = (changed?, post?);
    let as_planned = same(&plan.post, &post, "the store is as the plan said").and_then(|found| {
        let rows: u64 = changed.rows.values().sum();
        let same_rows = changed.rows == plan.rows;
        same_rows
            .then(|| format!("{found}, {rows} rows"))
            .ok_or_else(|| "other rows were counted than in the plan".to_owned())
    });
    progress.note(as_planned);
    progress.note(match apart(&pre, &post) {
        Some(what) => Ok(what),
        None => Err("after the change the store looks as before".to_owned()),
    });
    rolled_back?;
    progress.note(same(&pre, &back?, "the store is as before"));
    Ok(())
}

/// A script that no store understands must be refused, and must change nothing.
async fn bad_script(
    driver: &Driver,
    change: &Change,
    pre: &Baseline,
) -> Result<Result<String, String>, DriverError> {
    let script = Script {
        path: "forward".to_owned(),
        text: "%% this is no script %%".to_owned(),
    };
    let bad = Change {
        forward: vec![script],
        ..change.clone()
    };
    let refused = driver.forward(&bad).await;
    let after = driver.baseline(change).await?;
    Ok(match refused {
        Err(error)
            if matches!(
                error.trouble,
                Trouble::Said(Code::ScriptRefused | Code::ScriptFailed)
            ) =>
        {
            same(pre, &after, &error.sentence)
        }
        Err(error) => Err(error.sentence),
        Ok(_) => Err("a script that is none was taken for one".to_owned()),
    })
}
