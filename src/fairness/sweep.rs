//! What other thresholds would do: selection rates, accuracy and the differences between groups over all of them.
//!
//! Shown to be seen: nothing here is ever applied. Kinds of points are told in [`super::curves`].

use super::Spec;
use super::curves::{Place, drawn};
use super::group_table::ClassSlots;
use super::layout::{Layout, Scope, Slot};
use crate::audit::CurvePoint;

/// Steps between 0 and 1.
const THRESHOLDS: usize = 100;

/// Rates of one slot if the decision were `score >= threshold`, at every threshold; `None` for 0 / 0.
struct Rates {
    selection: Vec<Option<f64>>,
    accuracy: Vec<Option<f64>>,
    true_positive: Vec<Option<f64>>,
    false_positive: Vec<Option<f64>>,
}

/// All curves over thresholds (binary).
pub fn threshold_sweep(layout: &Layout, slots: &ClassSlots, spec: &Spec, output: &str) -> Vec<CurvePoint> {
    let mut thresholds: Vec<f64> = (0..=THRESHOLDS).map(|k| k as f64 / THRESHOLDS as f64).collect();
    thresholds.push(spec.threshold);
    thresholds.sort_by(f64::total_cmp);
    thresholds.dedup();
    let mut points = Vec::new();
    let mut rates: Vec<Option<Rates>> = layout.slots.iter().map(|_| None).collect();
    for (i, slot) in drawn(layout) {
        let place = Place { slot, output };
        let of_slot = Rates::new(slots, i, &thresholds);
        let rows = slots.evidence[i].count.0.iter().sum::<f64>() as u64;
        let mut curve = |kind: &str, values: &[Option<f64>]| {
            let known = thresholds.iter().zip(values);
            points.extend(known.filter_map(|(&x, y)| Some(place.point(kind, x, (*y)?, rows))));
        };
        curve("threshold", &of_slot.selection);
        curve("threshold_accuracy", &of_slot.accuracy);
        rates[i] = Some(of_slot);
    }
    for scope in layout.scopes.iter().filter(|scope| scope.stratum.is_empty()) {
        points.extend(across(layout, scope, &rates, &thresholds, spec, output));
    }
    points
}

impl Rates {
    fn new(slots: &ClassSlots, slot: usize, thresholds: &[f64]) -> Self {
        let steps = slots.rankings[slot].steps();
        let (negatives, positives) = slots.rankings[slot].totals();
        let total: f64 = steps.iter().map(|step| step.negative + step.positive + step.unlabelled).sum();
        let over = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
        let mut rates = Self { selection: vec![], accuracy: vec![], true_positive: vec![], false_positive: vec![] };
        for &threshold in thresholds {
            let above = &steps[steps.partition_point(|step| step.score < threshold)..];
            let [wrong, right, all] = above.iter().fold([0.0; 3], |[n, p, all], step| {
                [n + step.negative, p + step.positive, all + step.negative + step.positive + step.unlabelled]
            });
            rates.selection.push(over(all, total));
            rates.accuracy.push(over(right + negatives - wrong, negatives + positives));
            rates.true_positive.push(over(right, positives));
            rates.false_positive.push(over(wrong, negatives));
        }
        rates
    }
}

/// Differences between the known groups of an attribute.
fn across(
    layout: &Layout,
    scope: &Scope,
    rates: &[Option<Rates>],
    thresholds: &[f64],
    spec: &Spec,
    output: &str,
) -> Vec<CurvePoint> {
    let slot = Slot { attribute: scope.attribute.clone(), ..Slot::default() };
    let place = Place { slot: &slot, output };
    let known: Vec<&Rates> = layout.known(scope).filter_map(|slot| rates[slot].as_ref()).collect();
    // (lowest, highest) of a rate over the groups where it is defined; two must remain.
    let range = |t: usize, of: fn(&Rates) -> &Vec<Option<f64>>| {
        let values: Vec<f64> = known.iter().filter_map(|rates| of(rates)[t]).collect();
        let ends = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &y| (l.min(y), h.max(y)));
        (values.len() > 1).then_some(ends)
    };
    let (mut points, mut differences) = (Vec::new(), vec![None; thresholds.len()]);
    for (t, &x) in thresholds.iter().enumerate() {
        if let Some((low, high)) = range(t, |rates| &rates.selection) {
            differences[t] = Some(high - low);
            points.push(place.point("threshold_difference", x, high - low, 0));
            points.extend((high > 0.0).then(|| place.point("threshold_ratio", x, low / high, 0)));
        }
        let odds = range(t, |rates| &rates.true_positive).zip(range(t, |rates| &rates.false_positive));
        points.extend(
            odds.map(|(tpr, fpr)| place.point("threshold_odds_difference", x, (tpr.1 - tpr.0).max(fpr.1 - fpr.0), 0)),
        );
    }
    let overall = layout.slots.iter().position(|slot| slot.attribute.is_empty() && slot.stratum.is_empty());
    if let Some(overall) = overall.and_then(|slot| rates[slot].as_ref()) {
        let least = least_difference(&differences, overall, thresholds, spec);
        points.extend(least.map(|(x, y)| place.point("threshold_least_difference", x, y, 0)));
    }
    points
}

/// The threshold of the smallest difference among those that cost at most `accuracy_loss` of the accuracy in force
/// and do not decide all rows alike; the nearest to the one in force where several are equal.
fn least_difference(
    differences: &[Option<f64>],
    overall: &Rates,
    thresholds: &[f64],
    spec: &Spec,
) -> Option<(f64, f64)> {
    let in_force = thresholds.iter().position(|&threshold| threshold == spec.threshold)?;
    let least_accuracy = overall.accuracy[in_force]? - spec.accuracy_loss;
    let allowed = |t: &usize| {
        let decides = overall.selection[*t].is_some_and(|rate| rate > 0.0 && rate < 1.0);
        // The accuracy in force itself must pass whatever rounding does.
        decides && (*t == in_force || overall.accuracy[*t].is_some_and(|accuracy| accuracy >= least_accuracy))
    };
    let candidates = (0..thresholds.len()).filter(allowed);
    let known = candidates.filter_map(|t| Some((thresholds[t], differences[t]?)));
    let far = |threshold: f64| (threshold - spec.threshold).abs();
    known.min_by(|a, b| a.1.total_cmp(&b.1).then(far(a.0).total_cmp(&far(b.0))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fairness::tests::spec;

    fn rates(accuracy: [f64; 4], selection: [f64; 4]) -> Rates {
        let some = |values: [f64; 4]| values.map(Some).to_vec();
        Rates { selection: some(selection), accuracy: some(accuracy), true_positive: vec![], false_positive: vec![] }
    }

    #[test]
    fn the_least_difference_is_looked_for_where_accuracy_allows() {
        let overall = rates([0.5, 0.795, 0.8, 0.78], [1.0, 0.7, 0.4, 0.1]);
        let differences = [0.0, 0.1, 0.2, 0.05].map(Some);
        let at = |accuracy_loss| {
            least_difference(&differences, &overall, &[0.0, 0.4, 0.5, 0.9], &Spec { accuracy_loss, ..spec() })
        };
        assert_eq!(at(0.0), Some((0.5, 0.2)));
        assert_eq!(at(0.01), Some((0.4, 0.1)));
        assert_eq!(at(0.02), Some((0.9, 0.05)));
        // A threshold that selects everybody treats everybody alike and is not offered.
        assert_eq!(at(1.0), Some((0.9, 0.05)));
    }
}
