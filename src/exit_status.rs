//! What the process tells its caller: schedulers act on these codes, they never change their meaning.

use crate::audit::Decision;
use std::process::ExitCode;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// The audit ran and every gate passed; for other verbs: done.
    Passed,
    /// The audit ran and a gate with `severity = "fail"` failed.
    Failed,
    /// The command line, the TOML, the data or the model is not acceptable.
    Unacceptable,
    /// The audit broke while running.
    Broken,
    /// The audit ran, but a `fail` gate could not be decided, or nothing was audited.
    Undecided,
    /// Another run holds the lock (`EX_TEMPFAIL`).
    Locked,
}

impl ExitStatus {
    pub fn code(self) -> u8 {
        match self {
            ExitStatus::Passed => 0,
            ExitStatus::Failed => 1,
            ExitStatus::Unacceptable => 2,
            ExitStatus::Broken => 3,
            ExitStatus::Undecided => 4,
            ExitStatus::Locked => 75,
        }
    }

    /// Of several pipelines run at once, the one that matters most to whoever waits: nothing hides a broken run,
    /// and a definite failure comes before an open question.
    pub fn worst(self, other: Self) -> Self {
        let rank = |status| match status {
            ExitStatus::Passed => 0,
            ExitStatus::Undecided => 1,
            ExitStatus::Failed => 2,
            ExitStatus::Locked => 3,
            ExitStatus::Unacceptable => 4,
            ExitStatus::Broken => 5,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

impl From<Decision> for ExitStatus {
    fn from(verdict: Decision) -> Self {
        match verdict {
            Decision::Pass => ExitStatus::Passed,
            Decision::Fail => ExitStatus::Failed,
            Decision::Insufficient => ExitStatus::Undecided,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        ExitCode::from(status.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_run_is_never_hidden_by_others() {
        let all = [ExitStatus::Passed, ExitStatus::Broken, ExitStatus::Failed];
        assert_eq!(all.into_iter().fold(ExitStatus::Passed, ExitStatus::worst), ExitStatus::Broken);
    }
}
