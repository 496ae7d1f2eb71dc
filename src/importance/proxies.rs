//! Proxies: how well each feature alone tells the groups of an attribute.

use super::people::People;
use crate::audit::Proxy;
use crate::dataset::batch::Column;
use crate::stats::association::association;
use crate::stats::ranking::Ranking;
use std::collections::{BTreeMap, HashMap};

/// Bins of a number with more distinct values than [`MOST_VALUES`].
const BINS: usize = 10;
/// Distinct values that are kept apart; of texts the most frequent.
const MOST_VALUES: usize = 50;

/// One feature against one attribute; `groups[row]` is the row's group, `None` where unknown, and `is_code` says that
/// the feature's numbers have no order. `None` for pictures and where feature or attribute has one value only.
pub fn proxy(people: &People, feature: usize, is_code: bool, groups: &[Option<u32>]) -> Option<Proxy> {
    let column = &people.features.columns[feature];
    let bins = match column {
        Column::Number(values) => number_bins(values),
        Column::Text(values) => text_bins(values),
        Column::Tensor { .. } => return None,
    };
    let mut counts: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    let n_groups = groups.iter().flatten().max().map_or(0, |most| *most as usize + 1);
    let mut n = 0;
    for (bin, group) in bins.iter().zip(groups) {
        let Some(group) = group else { continue };
        counts.entry(*bin).or_insert_with(|| vec![0; n_groups])[*group as usize] += 1;
        n += 1;
    }
    let association = association(&counts.into_values().collect::<Vec<_>>())?;
    Some(Proxy {
        attribute: String::new(),
        feature: String::new(),
        n,
        mutual_information: association.mutual_information,
        uncertainty_coefficient: association.uncertainty_coefficient,
        cramers_v: association.cramers_v,
        p_value: association.p_value,
        auc: if is_code { None } else { auc(column, groups) },
        attribution_share: None,
    })
}

/// How well a number orders two groups, whichever is higher; missing values are left out.
fn auc(column: &Column, groups: &[Option<u32>]) -> Option<f64> {
    let Column::Number(values) = column else { return None };
    let mut seen: Vec<u32> = groups.iter().flatten().copied().collect();
    seen.sort_unstable();
    seen.dedup();
    let &[first, _] = seen.as_slice() else { return None };
    let mut rows: Vec<(f64, bool)> = values
        .iter()
        .zip(groups)
        .filter_map(|(value, group)| (!value.is_nan()).then_some((*value, (*group)? == first)))
        .collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut ranking = Ranking::default();
    rows.into_iter().for_each(|(value, is_first)| ranking.push(value, 1.0, Some(is_first)));
    ranking.roc_auc().map(|auc| auc.max(1.0 - auc))
}

/// Few distinct numbers stay apart, more are cut at their quantiles and at those of the distinct ones, so that a value
/// which most rows share does not swallow the others; missing is a bin of its own.
fn number_bins(values: &[f64]) -> Vec<u32> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    let mut distinct = sorted.clone();
    distinct.dedup();
    let edges: Vec<f64> = if distinct.len() <= MOST_VALUES {
        distinct
    } else {
        let quantiles = |numbers: &[f64]| (0..BINS).map(|bin| numbers[bin * numbers.len() / BINS]).collect::<Vec<_>>();
        let mut edges = [quantiles(&sorted), quantiles(&distinct)].concat();
        edges.sort_by(f64::total_cmp);
        edges.dedup();
        edges
    };
    let bin = |value: &f64| if value.is_nan() { 0 } else { 1 + edges.partition_point(|edge| edge <= value) as u32 };
    values.iter().map(bin).collect()
}

/// The most frequent texts stay apart (the first of equals by name), the rest is one bin; missing is a bin of its own.
fn text_bins(values: &[Option<std::sync::Arc<str>>]) -> Vec<u32> {
    let mut counts: HashMap<&str, u64> = HashMap::new();
    values.iter().flatten().for_each(|text| *counts.entry(text).or_default() += 1);
    let mut ranked: Vec<(&str, u64)> = counts.into_iter().collect();
    ranked.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let codes: HashMap<&str, u32> =
        ranked.iter().take(MOST_VALUES).zip(2..).map(|((text, _), code)| (*text, code)).collect();
    let bin =
        |text: &Option<std::sync::Arc<str>>| text.as_deref().map_or(0, |text| codes.get(text).copied().unwrap_or(1));
    values.iter().map(bin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::batch::Features;
    use crate::stats::random::Stream;
    use std::sync::Arc;

    fn people(columns: Vec<Column>, n: usize) -> People {
        let features = Features { n_rows: n, columns };
        People { features, codes: Vec::new(), scores: Vec::new(), decisions: Vec::new(), n_total: n as u64 }
    }

    #[test]
    fn a_copy_of_the_attribute_tells_it_and_noise_does_not() {
        let (n, stream) = (2_000u64, Stream::new(1, "proxies"));
        let groups: Vec<Option<u32>> = (0..n).map(|i| (i % 29 > 0).then_some((stream.at(i) % 2) as u32)).collect();
        let copy = groups.iter().map(|group| group.map(|group| Arc::from(["F", "M"][group as usize]))).collect();
        let noise = (0..n).map(|i| stream.normal(n + i)).collect();
        let shifted = (0..n).map(|i| stream.normal(4 * n + i) + f64::from(groups[i as usize].unwrap_or(0))).collect();
        let people = people(vec![Column::Text(copy), Column::Number(noise), Column::Number(shifted)], n as usize);
        let [copy, noise, shifted] = [0, 1, 2].map(|feature| proxy(&people, feature, false, &groups).unwrap());
        assert_eq!(copy.n, groups.iter().flatten().count() as u64);
        assert!(copy.uncertainty_coefficient > 0.99 && copy.cramers_v > 0.99 && copy.auc.is_none());
        assert!(noise.uncertainty_coefficient < 0.01 && (noise.auc.unwrap() - 0.5).abs() < 0.05);
        // Φ(1 / √2) of two normals one standard deviation apart.
        assert!((shifted.auc.unwrap() - 0.760).abs() < 0.03 && shifted.p_value.unwrap() < 1e-6);
        assert!(shifted.uncertainty_coefficient > noise.uncertainty_coefficient + 0.1);
    }

    #[test]
    fn missing_values_are_a_value_and_constants_tell_nothing() {
        let groups: Vec<Option<u32>> = (0..400).map(|i| Some(i % 2)).collect();
        let missing_for_one = (0..400).map(|i| if i % 2 == 0 { f64::NAN } else { 1.0 }).collect();
        let people = people(vec![Column::Number(missing_for_one), Column::Number(vec![7.0; 400])], 400);
        assert!(proxy(&people, 0, false, &groups).unwrap().cramers_v > 0.99);
        assert_eq!(proxy(&people, 1, false, &groups), None);
        assert_eq!(proxy(&people, 0, false, &vec![Some(0); 400]), None);
    }

    #[test]
    fn many_values_are_cut_into_as_many_bins_as_there_are_quantiles() {
        let bins = number_bins(&(0..1_000).map(f64::from).collect::<Vec<_>>());
        let distinct: std::collections::BTreeSet<u32> = bins.iter().copied().collect();
        assert_eq!(distinct.len(), BINS);
        assert!(distinct.iter().all(|bin| bins.iter().filter(|b| *b == bin).count() == 100));
        let mostly_nothing: Vec<f64> = (0..1_000).map(|i| f64::from((i - 950).max(0))).collect();
        let distinct: std::collections::BTreeSet<u32> = number_bins(&mostly_nothing).into_iter().collect();
        assert!(distinct.len() >= BINS);
        let names: Vec<Option<Arc<str>>> = (0..200).map(|i| Some(Arc::from(format!("t{}", i % 100)))).collect();
        let distinct: std::collections::BTreeSet<u32> = text_bins(&names).into_iter().collect();
        assert_eq!(distinct.len(), MOST_VALUES + 1);
    }
}
