//! Drift: how far a run has moved from an earlier one.
//!
//! A run counts how often each value of a column and each score occurred ([`ColumnCounts`]) and keeps that as a
//! [`Distribution`]: cells of values, at most a few thousand a column, united into bins
//! that are frozen with the run ([`freeze`]). A later run is laid beside it ([`Aligned`]), counted in the earlier run's
//! bins, and measured ([`measures`]): PSI and Jensen–Shannon over bins, Kolmogorov–Smirnov and Wasserstein over the
//! numbers. The ranking of features is compared by NDCG ([`ranks`]), metrics by their change with an interval
//! ([`changes`]).
//!
//! Everything here is a pure function of what two runs stored, so any two runs can be compared at any time; whether
//! that means something is decided first ([`obstacles`]).

mod alignment;
mod bins;
mod changes;
mod comparable;
mod comparison;
mod counts;
pub mod measures;
mod ranks;
#[cfg(test)]
mod tests;

pub use alignment::Aligned;
pub use bins::freeze;
pub use changes::changes;
pub use comparable::obstacles;
pub use comparison::comparison;
pub use counts::{ColumnCounts, Meaning, Values};
pub use ranks::{ndcg, ranks};

use crate::audit::{Audit, Distribution, Drift};

/// Every measure of every column and score that both runs have, and of the ranking of features.
pub fn drift(before: (&Audit, &[Distribution]), now: (&Audit, &[Distribution])) -> Vec<Drift> {
    let baseline_run_id = &before.0.run.run_id;
    let mut found = Vec::new();
    for mine in now.1 {
        let same = |theirs: &&Distribution| (&theirs.subject, &theirs.feature) == (&mine.subject, &mine.feature);
        let Some(aligned) = before.1.iter().find(same).map(|theirs| Aligned::new(theirs, mine)) else { continue };
        let measured = measures::all(&aligned);
        found.extend(measured.into_iter().map(|(measure, value)| Drift {
            subject: mine.subject.clone(),
            feature: mine.feature.clone(),
            measure: measure.to_owned(),
            value,
            baseline_run_id: baseline_run_id.clone(),
        }));
    }
    found.extend(ndcg(&ranks(before.0, now.0)).map(|value| Drift {
        subject: "attribution".to_owned(),
        feature: String::new(),
        measure: "ndcg".to_owned(),
        value,
        baseline_run_id: baseline_run_id.clone(),
    }));
    found
}
