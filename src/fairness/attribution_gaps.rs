//! Why mean scores differ: the difference of mean attributions, feature by feature, between a group and its reference.
//!
//! Over all features these differences add up to the gap of mean scores. Their test is that of random relabelling: if
//! group and reference were drawn from one population, every way of dealing the pooled rows out to the two would be
//! equally likely. Mean and variance over all relabellings are known exactly from sums, and by Hoeffding's theorem
//! (1951) their distribution nears the normal one, so no relabelling needs to be drawn and all rows count.

use crate::audit::{AttributeScope, AttributionGap};
use crate::stats::groups::Group;
use crate::stats::hypothesis::{benjamini_hochberg, two_sided};
use crate::stats::intervals::normal_quantile;
use crate::stats::{Accumulator, ExactSum};
use std::collections::BTreeMap;

/// Condition of gaps among the rows whose label is the favourable one: equal opportunity's analogue.
pub const FAVOURABLE: &str = "favourable label";
/// Rows that each side must have for the normal approximation of the test.
const MIN_TESTED: u64 = 10;

/// n, Σφ and Σφ² of some rows.
#[derive(Debug, Clone, Default)]
pub struct Sums {
    pub n: u64,
    pub sum: ExactSum,
    pub squares: ExactSum,
}

impl Sums {
    pub fn add(&mut self, x: f64) {
        self.n += 1;
        self.sum.add(x);
        self.squares.add(x * x);
    }

    pub fn merge(&mut self, other: Self) {
        self.n += other.n;
        self.sum.merge(other.sum);
        self.squares.merge(other.squares);
    }

    fn mean(&self) -> f64 {
        self.sum.value() / self.n as f64
    }

    /// Variance over n − 1; `None` for fewer than two rows.
    fn variance(&self) -> Option<f64> {
        let n = self.n as f64;
        (self.n > 1).then(|| ((self.squares.value() - n * self.mean().powi(2)) / (n - 1.0)).max(0.0))
    }
}

/// Where gaps belong.
pub struct Place<'a> {
    pub scope: &'a AttributeScope,
    pub output: &'a str,
    pub feature: &'a str,
}

impl Place<'_> {
    /// Gaps of all known groups with rows; `sums` gives those of a union of cells.
    pub fn gaps(
        &self,
        condition: &str,
        groups: &[Group],
        confidence: f64,
        sums: impl Fn(&[u32]) -> Sums,
    ) -> Vec<AttributionGap> {
        let Some(reference) = groups.iter().find(|group| group.name == self.scope.reference) else { return Vec::new() };
        let of_reference = sums(&reference.cells);
        if of_reference.n == 0 {
            return Vec::new();
        }
        let others = groups.iter().filter(|group| !group.unknown && group.name != reference.name);
        let gap = |group: &Group| {
            let own = sums(&group.cells);
            (own.n > 0).then(|| AttributionGap {
                attribute: self.scope.attribute.clone(),
                group_value: group.name.clone(),
                reference: reference.name.clone(),
                condition: condition.to_owned(),
                feature: self.feature.to_owned(),
                output: self.output.to_owned(),
                ..compare(own, &of_reference, confidence)
            })
        };
        others.filter_map(gap).collect()
    }
}

/// Difference of means with Welch's large-sample interval and the p-value of relabelling.
fn compare(own: Sums, reference: &Sums, confidence: f64) -> AttributionGap {
    let difference = own.mean() - reference.mean();
    let (n, n_reference) = (own.n, reference.n);
    let variances = own.variance().zip(reference.variance());
    let half = variances.map(|(a, b)| normal_quantile(confidence) * (a / n as f64 + b / n_reference as f64).sqrt());
    let mut pooled = own;
    pooled.merge(reference.clone());
    // Drawn without replacement from N rows of variance S²: Var(mean difference) = S² (1/n + 1/m).
    let spread = pooled.variance().map(|variance| (variance * (1.0 / n as f64 + 1.0 / n_reference as f64)).sqrt());
    let tested = n.min(n_reference) >= MIN_TESTED;
    let p_value = spread.filter(|spread| tested && *spread > 0.0).map(|spread| two_sided(difference / spread));
    AttributionGap {
        n,
        n_reference,
        difference,
        ci_low: half.map(|half| difference - half),
        ci_high: half.map(|half| difference + half),
        p_value,
        ..AttributionGap::default()
    }
}

/// Benjamini and Hochberg's p-values over the features of one group, output and condition.
pub fn adjust(gaps: &mut [AttributionGap]) {
    let mut families: BTreeMap<[&str; 4], Vec<(usize, f64)>> = BTreeMap::new();
    for (at, gap) in gaps.iter().enumerate() {
        if let Some(p_value) = gap.p_value {
            let family = [&*gap.attribute, &*gap.group_value, &*gap.condition, &*gap.output];
            families.entry(family).or_default().push((at, p_value));
        }
    }
    let families: Vec<Vec<(usize, f64)>> = families.into_values().collect();
    for family in families {
        let p_values: Vec<f64> = family.iter().map(|(_, p_value)| *p_value).collect();
        for ((at, _), adjusted) in family.iter().zip(benjamini_hochberg(&p_values)) {
            gaps[*at].p_adjusted = Some(adjusted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::Stream;

    fn sums(numbers: &[f64]) -> Sums {
        let mut sums = Sums::default();
        numbers.iter().for_each(|&x| sums.add(x));
        sums
    }

    /// Attributions with a long tail, as those of a rare flag.
    fn skewed(n: u64, seed: u64) -> Vec<f64> {
        let stream = Stream::new(seed, "gaps");
        (0..n).map(|i| stream.normal(i).exp() / 3.0 + f64::from(u8::from(stream.unit(n + i) < 0.1))).collect()
    }

    #[test]
    fn the_p_value_is_the_share_of_relabellings_that_are_as_far_apart() {
        for (shift, seed) in [(0.0, 1), (0.15, 2), (0.3, 3)] {
            let (group, reference) = (skewed(60, seed), skewed(140, seed + 10));
            let group: Vec<f64> = group.iter().map(|x| x + shift).collect();
            let gap = compare(sums(&group), &sums(&reference), 0.95);
            let pooled: Vec<f64> = group.iter().chain(&reference).copied().collect();
            let total: f64 = pooled.iter().sum();
            let rounds = 20_000u64;
            let farther = (0..rounds).filter(|&round| {
                let stream = Stream::new(round, "relabel");
                let mut order: Vec<usize> = (0..pooled.len()).collect();
                (0..60).for_each(|i| order.swap(i, i + (stream.unit(i as u64) * (200 - i) as f64) as usize));
                let drawn: f64 = order[..60].iter().map(|&row| pooled[row]).sum();
                (drawn / 60.0 - (total - drawn) / 140.0).abs() >= gap.difference.abs()
            });
            let share = farther.count() as f64 / rounds as f64;
            assert!((gap.p_value.unwrap() - share).abs() < 0.02, "shift {shift}: {:?} {share}", gap.p_value);
        }
    }

    #[test]
    fn the_interval_is_welchs_and_needs_two_rows_on_both_sides() {
        let gap = compare(sums(&[1.0, 3.0]), &sums(&[0.0, 0.0, 3.0]), 0.95);
        let half = 1.959963984540054 * (2.0f64 / 2.0 + 3.0 / 3.0).sqrt();
        assert!((gap.difference - 1.0).abs() < 1e-15 && (gap.ci_high.unwrap() - 1.0 - half).abs() < 1e-12);
        assert_eq!(gap.p_value, None);
        assert_eq!(compare(sums(&[1.0]), &sums(&[0.0, 2.0]), 0.95).ci_low, None);
    }

    #[test]
    fn equal_attributions_are_no_evidence_of_anything() {
        let gap = compare(sums(&[0.5; 20]), &sums(&[0.5; 30]), 0.95);
        assert_eq!((gap.difference, gap.p_value), (0.0, None));
    }
}
