//! Plan → store → receipt.

use super::{
    plan::Plan,
    receipt::Receipt,
    store::{CommitError, Store},
};

/// Commits a plan. A plan with nothing to write touches nothing.
///
/// # Errors
/// [`CommitError`]; nothing was changed.
pub fn apply<S: Store>(plan: Plan, store: &mut S) -> Result<Receipt, CommitError<S::Error>> {
    let (batch, applying) = plan.begin();
    if let Some(batch) = batch {
        store.commit(batch)?;
    }
    Ok(applying.committed())
}
