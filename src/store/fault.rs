//! Places on the way into the history where tests let a process die. Outside tests they are nothing.

/// Where a run, a pruning or a recovery may be cut short, in the order in which they pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The mark of the run is made.
    Marked,
    /// Some files are complete under their temporary names, others are not there.
    StagedOne,
    /// All files are complete under their temporary names.
    Staged,
    /// Some files have their names.
    NamedOne,
    /// All files have their names, which may not last yet.
    Named,
    /// Names last, the catalogue knows nothing.
    Synced,
    /// Rows are inserted, the transaction is open.
    Inserted,
    /// The transaction is committed, the mark is still there.
    Recorded,
    /// All is done, the lock is held.
    Done,
    /// Tombstones are committed, no file is removed.
    Buried,
    /// Row-level files of a pruned run are removed, its reports are not.
    RemovedRows,
    /// Files of a dead run are removed, it is not recorded.
    Cleaned,
    /// The backup of an older catalogue is made, nothing is upgraded.
    BackedUp,
}

#[cfg(not(test))]
pub(super) fn reach(_place: Place) {}

/// Environment variable that names the place where a test's process ends.
#[cfg(test)]
pub(super) const DIES_AT: &str = "PROBITY_TEST_DIES_AT";

/// Ends the process at once, as a kill would: nothing is dropped, nothing is cleaned up.
#[cfg(test)]
pub(super) fn reach(place: Place) {
    if std::env::var(DIES_AT).is_ok_and(|dies_at| dies_at == format!("{place:?}")) {
        std::process::exit(137);
    }
}
