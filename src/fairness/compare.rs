//! One group against another.

use super::confusion::{Outcomes, Rate};
use super::estimate::{Basis, Cause, Estimate, Undefined};
use super::group_table::GroupTable;
use super::table::Measure;
use crate::stats::bootstrap::percentile_interval;
use crate::stats::hypothesis::{compare_proportions, two_sided};
use crate::stats::intervals::{Interval, log_ratio, newcombe, normal_quantile};

/// Compares slots of a group table at a confidence level.
pub struct Comparer<'a> {
    pub table: &'a GroupTable,
    pub confidence: f64,
    /// Normal quantile of the confidence level.
    pub z: f64,
}

impl<'a> Comparer<'a> {
    pub fn new(table: &'a GroupTable, confidence: f64) -> Self {
        Self { table, confidence, z: normal_quantile(confidence) }
    }

    pub fn estimate(&self, measure: usize, slot: usize) -> &'a Estimate {
        &self.table.estimates[measure][slot]
    }

    /// Values of a group and the reference, or what is missing.
    fn values(&self, measure: usize, slot: usize, reference: usize) -> Result<(f64, f64), Undefined> {
        let value = self.estimate(measure, slot).value?;
        Ok((value, self.estimate(measure, reference).value.map_err(Undefined::in_reference)?))
    }

    fn denominator(&self, measure: usize, slot: usize, reference: usize) -> u64 {
        self.estimate(measure, slot).denominator.min(self.estimate(measure, reference).denominator)
    }

    /// Group minus reference: Newcombe's interval and a test for proportions, Welch's for means, else bootstrap.
    pub fn difference(&self, measure: usize, slot: usize, reference: usize) -> Estimate {
        let denominator = self.denominator(measure, slot, reference);
        let (value, of_reference) = match self.values(measure, slot, reference) {
            Ok(values) => values,
            Err(undefined) => return Estimate::undefined(undefined, denominator),
        };
        let difference = value - of_reference;
        let (interval, p_value) = match (self.estimate(measure, slot).basis, self.estimate(measure, reference).basis) {
            (Basis::Proportion(a), Basis::Proportion(b)) => (Some(newcombe(a, b, self.z)), compare_proportions(a, b)),
            (Basis::Mean { std_err: a }, Basis::Mean { std_err: b }) => {
                let std_err = a.hypot(b);
                let p_value = (std_err > 0.0).then(|| two_sided(difference / std_err));
                (Some(Interval::around(difference, self.z * std_err)), p_value)
            }
            _ => (self.pairwise(measure, slot, reference, difference, |a, b| a - b), None),
        };
        Estimate { value: Ok(difference), interval, p_value, denominator, basis: Basis::Replicates }
    }

    /// Group over reference: log interval for proportions, else bootstrap.
    pub fn ratio(&self, measure: usize, slot: usize, reference: usize) -> Estimate {
        let denominator = self.denominator(measure, slot, reference);
        let value = self.values(measure, slot, reference).and_then(|(value, of_reference)| ratio(value, of_reference));
        let Ok(value) = value else { return Estimate::new(value, denominator) };
        let (a, b) = (self.estimate(measure, slot).basis, self.estimate(measure, reference).basis);
        let (interval, p_value) = match (a, b) {
            (Basis::Proportion(a), Basis::Proportion(b)) => (log_ratio(a, b, self.z), compare_proportions(a, b)),
            _ => (self.pairwise(measure, slot, reference, value, |a, b| a / b), None),
        };
        Estimate { value: Ok(value), interval, p_value, denominator, basis: Basis::Replicates }
    }

    /// The interval of a function of one measure in two groups, by bootstrap.
    fn pairwise(&self, m: usize, a: usize, b: usize, point: f64, f: impl Fn(f64, f64) -> f64) -> Option<Interval> {
        let (a, b) = (self.table.replicates.of(m, a), self.table.replicates.of(m, b));
        let mut replicates = a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect();
        percentile_interval(point, &mut replicates, self.confidence)
    }

    /// A function of several (measure, slot) values, with a bootstrap interval. The last parts belong to `reference`.
    pub fn combine<const N: usize>(
        &self,
        parts: [(usize, usize); N],
        reference: usize,
        f: impl Fn([f64; N]) -> Result<f64, Cause>,
    ) -> Estimate {
        let denominator = parts.iter().map(|&(m, slot)| self.estimate(m, slot).denominator).min().unwrap_or(0);
        let mut values = [0.0; N];
        for (value, (measure, slot)) in values.iter_mut().zip(parts) {
            match self.estimate(measure, slot).value {
                Ok(known) => *value = known,
                Err(undefined) if slot == reference => {
                    return Estimate::undefined(undefined.in_reference(), denominator);
                }
                Err(undefined) => return Estimate::undefined(undefined, denominator),
            }
        }
        let value = f(values).map_err(Undefined::comparing);
        let Ok(point) = value else { return Estimate::new(value, denominator) };
        let columns = parts.map(|(measure, slot)| self.table.replicates.of(measure, slot));
        let rounds = columns.iter().map(|column| column.len()).min().unwrap_or(0);
        let mut replicates = (0..rounds).map(|r| f(columns.map(|column| column[r])).unwrap_or(f64::NAN)).collect();
        let interval = percentile_interval(point, &mut replicates, self.confidence);
        Estimate { interval, ..Estimate::new(value, denominator) }
    }
}

/// A ratio of two values of which the second must be positive and the first not negative.
pub fn ratio(value: f64, over: f64) -> Result<f64, Undefined> {
    if over == 0.0 {
        return Err(Undefined::comparing(Cause::ZeroDenominator));
    }
    if over < 0.0 || value < 0.0 {
        return Err(Undefined::comparing(Cause::NotPositive));
    }
    Ok(value / over)
}

/// Name of the measure that takes this one's place when the favourable class is not the positive one: the true
/// positive rate of the one class is the true negative rate of the other.
pub fn on_favourable(name: &'static str, favourable: bool) -> &'static str {
    match name {
        _ if favourable => name,
        "true_positive_rate" => "true_negative_rate",
        "true_negative_rate" => "true_positive_rate",
        "false_positive_rate" => "false_negative_rate",
        "false_negative_rate" => "false_positive_rate",
        "false_discovery_rate" => "false_omission_rate",
        "false_omission_rate" => "false_discovery_rate",
        "precision" => "negative_predictive_value",
        "negative_predictive_value" => "precision",
        other => other,
    }
}

/// Whether a measure is one of AIF360's rates, whose comparisons are on the favourable class.
pub fn is_aif360_rate(measure: Measure, name: &str) -> bool {
    let rates = [
        "true_positive_rate",
        "true_negative_rate",
        "false_positive_rate",
        "false_negative_rate",
        "false_discovery_rate",
        "false_omission_rate",
    ];
    matches!(measure, Measure::Rate(Rate { of, .. }) if of != Outcomes::ALL) && rates.contains(&name)
}
