//! The deployment that a bench works in.

use std::error::Error;

use govdeck::actions::{self, ByRule, Founding, Outcome, Request};
use govdeck::rules::people::Environment;
use govdeck::settings::Dsn;
use govdeck::store::{OsAccount, Store, deployment, schema};

/// Opens a deployment, which another bench may have established there.
pub async fn established(dsn: &str) -> Result<Store, Box<dyn Error>> {
    let dsn = Dsn::parse(dsn).map_err(|fault| fault.to_string())?;
    let (store, _) = schema::prepare(&dsn, OsAccount::of_this_process()?).await?;
    let mut view = store.view().await?;
    let (there, login) = (deployment::find(&mut view).await?, view.login().to_owned());
    drop(view);
    if there.is_none() {
        let founding = Founding {
            name: "bench".into(),
            environment: Environment::Dev,
            founder: "founder".into(),
            login,
            backup: None,
        };
        let request = Request::by_rule(ByRule::Establish(founding))?;
        match actions::carry_out(&store, request).await {
            Outcome::Done(_) => {}
            other => return Err(format!("not established: {other:?}").into()),
        }
    }
    Ok(store)
}
