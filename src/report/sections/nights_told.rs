//! What the nights say in words: how long gates have stood as they do, and which metrics moved beyond their intervals.

use super::nights::{Nights, Series, SeriesPoint};
use crate::audit::Decision;
use crate::report::label;
use crate::report::number;
use crate::report::text::{find, say};
use crate::report::words;

/// Most sentences about gates, and about metrics.
const MAX_GATES: usize = 6;
const MAX_METRICS: usize = 4;

/// How long the verdict has been what it is.
pub fn verdict(nights: &Nights) -> Option<String> {
    let verdicts: Vec<(&str, Decision)> = nights.verdicts().collect();
    let (_, now) = *verdicts.last()?;
    let n = verdicts.iter().rev().take_while(|(_, verdict)| *verdict == now).count();
    let since = words::date(verdicts[verdicts.len() - n].0);
    let before = verdicts.len().checked_sub(n + 1).map(|at| verdicts[at].1);
    Some(match (n, before) {
        (1, Some(then)) => say!("streak.verdict_new", did = did(now, "fail"), then = did(then, "fail")),
        (n, None) => say!("streak.verdict_all", what = kind(now), nights = n, since = since),
        (n, Some(_)) => say!("streak.verdict", nth = ordinal(n), what = kind(now), since = since),
    })
}

fn kind(decision: Decision) -> String {
    match decision {
        Decision::Pass => say!("streak.passing"),
        Decision::Fail => say!("streak.failing"),
        Decision::Insufficient => say!("streak.undecided"),
    }
}

/// What a night did: "passed", "failed", "was breached as a warning", "could not be decided".
fn did(decision: Decision, class: &str) -> String {
    match (decision, class) {
        (Decision::Pass, _) => say!("streak.passed"),
        (Decision::Fail, "warn") => say!("streak.breached"),
        (Decision::Fail, _) => say!("streak.failed"),
        (Decision::Insufficient, _) => say!("streak.not_decided"),
    }
}

/// Gates that did not pass, that pass again, or whose limit was moved.
pub fn gates(nights: &Nights) -> Vec<String> {
    let gates = nights.gates();
    gates.iter().flat_map(|series| streak(series).into_iter().chain(moved_limit(series))).take(MAX_GATES).collect()
}

/// The gate's streak, in nights that asked for it.
fn streak(series: &Series) -> Option<String> {
    let asked: Vec<(&SeriesPoint, Decision)> =
        series.points.iter().filter_map(|point| Some((point, point.decision?))).collect();
    let (point, now) = *asked.last()?;
    let n = asked.iter().rev().take_while(|(_, decision)| *decision == now).count();
    let before = asked.len().checked_sub(n + 1).map(|at| asked[at]);
    let since = words::date(&asked[asked.len() - n].0.as_of);
    let gate = label::shorten(&series.gate, 120);
    if now == Decision::Pass {
        return before.filter(|_| n == 1).map(|(_, then)| passes_again(gate, &asked, then));
    }
    let did_now = did(now, point.class);
    Some(match (n, before) {
        // One night says nothing of a history.
        (1, None) => return None,
        (1, Some((then, decision))) => {
            say!("streak.gate_new", gate = gate, did = did_now, then = did(decision, then.class))
        }
        (n, None) => say!("streak.gate_all", gate = gate, did = did_now, nights = n, since = since),
        (n, Some((last, decision))) => say!(
            "streak.gate",
            gate = gate,
            did = did_now,
            nth = ordinal(n),
            since = since,
            last = words::date(&last.as_of),
            then = did(decision, last.class)
        ),
    })
}

/// The only night that passed, after some of one kind that did not.
fn passes_again(gate: String, asked: &[(&SeriesPoint, Decision)], then: Decision) -> String {
    let earlier = asked.iter().rev().skip(1);
    let nights = earlier.take_while(|(_, decision)| *decision == then).count();
    say!("streak.again", gate = gate, n = nights, then = did(then, "fail"))
}

/// A limit that changed since the night before makes decisions differ that numbers do not.
fn moved_limit(series: &Series) -> Option<String> {
    let mut limits = series.points.iter().rev().filter_map(|point| point.limit);
    let (now, before) = (limits.next()?, limits.next()?);
    let (before_text, now_text) = number::apart(series.unit, before, now);
    let gate = label::shorten(&series.gate, 120);
    (now != before).then(|| say!("streak.moved_limit", gate = gate, before = before_text, now = now_text))
}

/// Metrics whose interval lies apart from that of the night before; or that there is none.
pub fn metrics(series: &[Series]) -> Vec<String> {
    let compared: Vec<(&Series, [&SeriesPoint; 2])> = series.iter().filter_map(compared).collect();
    let apart: Vec<String> = compared.iter().filter_map(|(series, pair)| apart(series, *pair)).collect();
    match (compared.len(), apart.len()) {
        (0, _) => Vec::new(),
        (n, 0) => vec![say!("nights.none_moved", n = n)],
        (n, n_apart) => {
            let rest = (n > n_apart).then(|| say!("nights.rest", n = n - n_apart));
            apart.into_iter().take(MAX_METRICS).chain(rest).collect()
        }
    }
}

/// The latest two nights, where both have an interval.
fn compared(series: &Series) -> Option<(&Series, [&SeriesPoint; 2])> {
    let [.., before, now] = series.points.as_slice() else { return None };
    let both = [before, now].iter().all(|point| point.value().is_some() && point.interval().is_some());
    both.then_some((series, [before, now]))
}

fn apart(series: &Series, [before, now]: [&SeriesPoint; 2]) -> Option<String> {
    let (before_range, now_range) = (before.interval()?, now.interval()?);
    let told = |point: &SeriesPoint, (low, high)| {
        format!("{} ({})", point.text(series.unit), number::range(series.unit, low, high))
    };
    let date = words::date(&before.as_of);
    let (now, then) = (told(now, now_range), told(before, before_range));
    match (now_range.0 > before_range.1, now_range.1 < before_range.0) {
        (true, _) => Some(say!("nights.higher", metric = &series.name, now = now, then = then, date = date)),
        (_, true) => Some(say!("nights.lower", metric = &series.name, now = now, then = then, date = date)),
        _ => None,
    }
}

/// "third", "11th".
fn ordinal(n: usize) -> String {
    if let Some(word) = find(&format!("ordinal.{n}"), &[]) {
        return word;
    }
    match (n % 100, n % 10) {
        (11..=13, _) => say!("nth.th", n = n),
        (_, 1) => say!("nth.st", n = n),
        (_, 2) => say!("nth.nd", n = n),
        (_, 3) => say!("nth.rd", n = n),
        _ => say!("nth.th", n = n),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Seen;
    use crate::report::number::Unit;

    /// A gate's nights: "p", "f", "i", or "-" for one that did not ask.
    fn gate(nights: &str) -> Series {
        let point = |(at, night): (usize, char)| {
            let decision = match night {
                'p' => Some(Decision::Pass),
                'f' => Some(Decision::Fail),
                'i' => Some(Decision::Insufficient),
                _ => None,
            };
            SeriesPoint {
                as_of: format!("2026-11-{:02}", at + 1),
                seen: decision.map(|_| Seen { value: Some(0.5), ..Seen::default() }),
                decision,
                class: decision.map_or("none", |decision| words::decision_class(decision, "fail")),
                limit: decision.map(|_| 0.8),
            }
        };
        let points = nights.chars().enumerate().map(point).collect();
        Series { name: "Parity".into(), gate: "parity ≥ 0.8".into(), unit: Unit::Ratio, points }
    }

    #[test]
    fn a_streak_is_counted_in_nights_that_asked() {
        let told = |nights| streak(&gate(nights));
        assert_eq!(
            told("pfff").unwrap(),
            "parity ≥ 0.8: failed for the third night in a row, since 2 November 2026; on 1 November 2026 it passed."
        );
        assert!(told("pf-f").unwrap().contains("second night in a row, since 2 November"));
        assert!(told("ff").unwrap().contains("failed in all 2 nights kept here, since 1 November 2026"));
        assert_eq!(told("pf").unwrap(), "parity ≥ 0.8: failed this night; the night before it passed.");
        assert_eq!(told("fffp").unwrap(), "parity ≥ 0.8: passes again after 3 nights that failed.");
        assert_eq!(told("fip").unwrap(), "parity ≥ 0.8: passes again after 1 night that could not be decided.");
        assert!(told("pii").unwrap().starts_with("parity ≥ 0.8: could not be decided for the second night in a row"));
    }

    #[test]
    fn what_has_no_history_has_no_streak() {
        assert_eq!(streak(&gate("--f")), None);
        assert_eq!(streak(&gate("pp")), None);
        assert_eq!(streak(&gate("fpp")), None);
        assert_eq!(streak(&gate("---")), None);
    }

    #[test]
    fn a_breach_of_a_warning_is_called_one() {
        let mut warned = gate("ff");
        warned.points.iter_mut().for_each(|point| point.class = "warn");
        assert!(streak(&warned).unwrap().contains("was breached as a warning in all 2 nights"));
    }

    #[test]
    fn a_moved_limit_is_named() {
        let mut series = gate("pf");
        assert_eq!(moved_limit(&series), None);
        series.points[0].limit = Some(0.75);
        assert!(moved_limit(&series).unwrap().contains("from 0.75 to 0.80"));
    }

    fn metric(pairs: &[(f64, f64)]) -> Series {
        let mut series = gate(&"-".repeat(pairs.len()));
        series.unit = Unit::Share;
        for (point, (low, high)) in series.points.iter_mut().zip(pairs) {
            let value = Some((low + high) / 2.0);
            point.seen = Some(Seen { value, ci_low: Some(*low), ci_high: Some(*high), withheld: false });
        }
        series
    }

    #[test]
    fn a_metric_is_said_to_move_only_where_intervals_are_apart() {
        let (fell, stayed) = (metric(&[(0.8, 0.82), (0.7, 0.72)]), metric(&[(0.8, 0.82), (0.78, 0.8)]));
        let told = metrics(&[fell.clone(), stayed.clone()]);
        assert!(told[0].contains("it is lower by more than chance explains"), "{told:?}");
        assert_eq!(told[1], "The interval of 1 other key metric overlaps with that of the night before.");
        assert!(metrics(&[stayed])[0].contains("it cannot be said to have moved"));
        let mut bare = fell;
        bare.points[1].seen = Some(Seen { value: Some(0.1), ..Seen::default() });
        assert!(metrics(&[bare]).is_empty(), "without an interval nothing is said");
    }

    #[test]
    fn ordinals_are_words_up_to_ten() {
        assert_eq!(
            [1, 3, 10, 11, 12, 21, 22, 113].map(ordinal),
            ["first", "third", "tenth", "11th", "12th", "21st", "22nd", "113th"]
        );
    }
}
