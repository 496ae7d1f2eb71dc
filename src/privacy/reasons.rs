//! Reasons of decisions without small counts.

use super::cell::is_small;
use super::{Entry, Why};
use crate::audit::{AdverseActions, ReasonCount};

/// Counts of reasons add up to the unfavourable decisions: what is left out together is not small, nor alone.
pub fn published(adverse: &AdverseActions, limit: u64, log: &mut Vec<Entry>) -> AdverseActions {
    let is_shown =
        |reason: &&ReasonCount| !is_small(reason.n_first as i64, limit) && !is_small(reason.n_any as i64, limit);
    let mut shown: Vec<ReasonCount> = adverse.reasons.iter().filter(is_shown).cloned().collect();
    while is_open(adverse, &shown, limit) {
        // The rarest that is a first reason at all; without one, none is left.
        match shown.iter().rposition(|reason| reason.n_first > 0) {
            Some(rarest) => drop(shown.remove(rarest)),
            None => shown.clear(),
        }
    }
    let mut say = |what: &str, why| log.push(Entry::of("", what, why));
    if !adverse.rows.is_empty() {
        say("reasons row by row", Why::Primary);
    }
    if shown.len() < adverse.reasons.len() {
        say("reasons that few decisions have, and what adds up to them", Why::Primary);
    }
    AdverseActions { reasons: shown, rows: Vec::new(), ..adverse.clone() }
}

/// Whether what is left out can be told from the total.
fn is_open(adverse: &AdverseActions, shown: &[ReasonCount], limit: u64) -> bool {
    let left_out = adverse.reasons.iter().filter(|reason| reason.n_first > 0 && !shown.contains(reason));
    let (mut n, mut sum) = (0, 0);
    left_out.for_each(|reason| (n, sum) = (n + 1, sum + reason.n_first));
    !shown.is_empty() && (n == 1 || is_small(sum as i64, limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adverse(counts: &[(u64, u64)]) -> AdverseActions {
        let reason = |(at, (n_first, n_any)): (usize, &(u64, u64))| ReasonCount {
            feature: format!("x{at}"),
            n_first: *n_first,
            n_any: *n_any,
        };
        AdverseActions { reasons: counts.iter().enumerate().map(reason).collect(), ..AdverseActions::default() }
    }

    fn shown(counts: &[(u64, u64)]) -> Vec<String> {
        let published = published(&adverse(counts), 5, &mut Vec::new());
        published.reasons.into_iter().map(|reason| reason.feature).collect()
    }

    #[test]
    fn a_rare_reason_takes_another_one_with_it() {
        assert_eq!(shown(&[(50, 60), (20, 40), (3, 30)]), ["x0"]);
        assert_eq!(shown(&[(50, 60), (20, 40), (4, 30), (3, 30)]), ["x0", "x1"], "7 together, which two share");
    }

    #[test]
    fn frequent_reasons_and_reasons_that_never_come_first_stay() {
        assert_eq!(shown(&[(50, 60), (20, 40), (0, 30)]), ["x0", "x1", "x2"]);
        assert_eq!(shown(&[(50, 60), (2, 3)]), Vec::<String>::new());
    }
}
