//! Diffs of weekly runs that are too large for the database: hashed where they lie, before anything rests on them.

use std::path::{Path, PathBuf};

use super::below_root;
use crate::actions::{Prepared, Request, diff_seen};
use crate::canon::Digest;
use crate::rules::permission::ACK_RUN;
use crate::rules::release::{ArtifactRef, Found};
use crate::store::week::{self, Window};
use crate::store::{Store, StoreError};

/// Tells what is found where a run's diff should be, outside the database too; nothing is held open while it is hashed.
pub async fn found(store: &Store, root: &Path, window: &Window) -> Result<Found, StoreError> {
    match outside(window) {
        None => week::found_diff(&mut store.view().await?, window).await,
        Some((path, sha256)) => Ok(match hashed(root, &path).await {
            Ok(found) if found == sha256 => Found::Same(sha256),
            Ok(found) => Found::Changed(format!("{path} hashes to {found}, not to {sha256}")),
            Err(why) => Found::Unreachable(why),
        }),
    }
}

/// Hashes the diff that an action on a run would rest on; nothing where it lies in the database, or where the action
/// rests on none.
pub async fn seen(
    store: &Store,
    root: &Path,
    verb: &str,
    run: &str,
) -> Result<Option<Prepared>, StoreError> {
    if verb != ACK_RUN.verb {
        return Ok(None);
    }
    let window = week::find(&mut store.view().await?, run).await?;
    let Some((window, (path, _))) = window.and_then(|it| outside(&it).map(|at| (it, at))) else {
        return Ok(None);
    };
    let uri = window.artifact_uri.as_deref().unwrap_or_default();
    diff_seen(uri, &hashed(root, &path).await).map(Some)
}

/// Hashes the diff anew that a request rests on, just before it is carried out.
pub async fn seen_again(
    store: &Store,
    root: &Path,
    request: Request,
) -> Result<Request, StoreError> {
    let seen = seen(store, root, request.verb(), request.subject()).await?;
    Ok(request.with_prepared(seen))
}

fn outside(window: &Window) -> Option<(String, Digest)> {
    match window.artifact_uri.as_deref()?.parse() {
        Ok(ArtifactRef::File { path, sha256 }) => Some((path, sha256)),
        _ => None,
    }
}

/// Hashes a file on a thread of its own: it is large.
async fn hashed(root: &Path, path: &str) -> Result<Digest, String> {
    let (root, path) = (PathBuf::from(root), path.to_owned());
    let hashing = tokio::task::spawn_blocking(move || below_root::hash(&root, &path));
    hashing
        .await
        .unwrap_or_else(|_| Err("the hashing ended early".to_owned()))
}
