//! p-values adjusted for the number of groups that were compared.

use crate::audit::Metric;
use crate::stats::groups::UNKNOWN;
use crate::stats::hypothesis::benjamini_hochberg;
use std::collections::BTreeMap;

use super::layout::OTHERS;

/// Fills in `p_adjusted`: Benjamini and Hochberg's over the known groups that one metric compares with the reference
/// (or the highest group), for each attribute, stratum and output.
pub fn adjust(metrics: &mut [Metric]) {
    let mut families: BTreeMap<[&str; 4], Vec<(usize, f64)>> = BTreeMap::new();
    for (at, row) in metrics.iter().enumerate() {
        let known = row.group_value != OTHERS && !row.group_value.split(',').any(|part| part == UNKNOWN);
        if let Some(p_value) = row.p_value.filter(|_| known && !row.group_value.is_empty()) {
            let family = [&*row.metric, &*row.attribute, &*row.stratum, &*row.output];
            families.entry(family).or_default().push((at, p_value));
        }
    }
    let families: Vec<Vec<(usize, f64)>> = families.into_values().collect();
    for family in families {
        let p_values: Vec<f64> = family.iter().map(|(_, p_value)| *p_value).collect();
        for ((at, _), adjusted) in family.iter().zip(benjamini_hochberg(&p_values)) {
            metrics[*at].p_adjusted = Some(adjusted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_the_known_groups_of_one_comparison() {
        let row = |metric: &str, group: &str, p_value| Metric {
            metric: metric.into(),
            attribute: "race".into(),
            group_value: group.into(),
            p_value,
            ..Metric::default()
        };
        let mut metrics = [
            row("a", "Black", Some(0.01)),
            row("a", "Asian", Some(0.04)),
            row("a", "Other", Some(0.03)),
            row("a", "(unknown)", Some(0.001)),
            row("a", OTHERS, Some(0.002)),
            row("a", "Empty", None),
            row("b", "Black", Some(0.04)),
        ];
        adjust(&mut metrics);
        let adjusted: Vec<Option<f64>> = metrics.iter().map(|row| row.p_adjusted).collect();
        assert_eq!(adjusted, [Some(0.03), Some(0.04), Some(0.04), None, None, None, Some(0.04)]);
    }
}
