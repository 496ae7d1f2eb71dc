//! Laws of distributions and of their distances, and the answers of SciPy and scikit-learn.

use super::*;
use crate::audit::{CellValue, DistributionCell, RankChange};
use crate::stats::random::Stream;
use serde_json::Value;
use std::sync::Arc;

const GOLDEN: &str = include_str!("../../tests/golden/drift.json");

fn golden(part: &str) -> Vec<Value> {
    let known: Value = serde_json::from_str(GOLDEN).unwrap();
    known[part].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn of_numbers(values: &[f64], weights: Option<&[f64]>) -> Distribution {
    let mut counts = ColumnCounts::default();
    counts.update(Values::Numbers(values), weights);
    stored(&counts, Meaning::Quantity)
}

fn of_texts(texts: &[Option<&str>]) -> Distribution {
    let texts: Vec<Option<Arc<str>>> = texts.iter().map(|text| text.map(Arc::from)).collect();
    let mut counts = ColumnCounts::default();
    counts.update(Values::Texts(&texts), None);
    stored(&counts, Meaning::Quantity)
}

fn stored(counts: &ColumnCounts, meaning: Meaning) -> Distribution {
    let (coarseness, mut cells) = counts.finish(meaning);
    freeze(&mut cells);
    Distribution { subject: "feature".into(), feature: "x".into(), coarseness, cells }
}

fn measured(before: &Distribution, now: &Distribution, measure: &str) -> f64 {
    let all = measures::all(&Aligned::new(before, now));
    all.iter().find(|(name, _)| *name == measure).unwrap_or_else(|| panic!("no {measure} in {all:?}")).1
}

fn normal(n: u64, mean: f64, name: &str) -> Vec<f64> {
    let stream = Stream::new(3, name);
    (0..n).map(|i| mean + stream.normal(i)).collect()
}

fn close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance * expected.abs().max(1.0), "{found} is not {expected}");
}

// Known answers

#[test]
fn distances_of_numbers_are_scipys() {
    for sample in golden("samples") {
        let weights = |key: &str| sample[key].as_array().map(|_| numbers(&sample[key]));
        let of = |key: &str, weight: &str| of_numbers(&numbers(&sample[key]), weights(weight).as_deref());
        let (before, now) = (of("before", "weights_before"), of("now", "weights_now"));
        for measure in ["ks", "wasserstein"] {
            close(measured(&before, &now, measure), sample[measure].as_f64().unwrap(), 1e-12);
        }
    }
}

#[test]
fn distances_of_shares_are_scipys() {
    for pair in golden("shares") {
        let shares: Vec<(f64, f64)> = numbers(&pair["before"]).into_iter().zip(numbers(&pair["now"])).collect();
        close(measures::jensen_shannon(&shares), pair["js"].as_f64().unwrap(), 1e-12);
        close(measures::psi(&shares), pair["psi"].as_f64().unwrap(), 1e-12);
    }
}

#[test]
fn rankings_are_judged_as_scikit_learn_does() {
    for ranking in golden("rankings") {
        let (before, now) = (numbers(&ranking["before"]), numbers(&ranking["now"]));
        let rank = |values: &[f64], of: f64| 1 + values.iter().filter(|value| **value > of).count() as u32;
        let change = |(value_before, value_now): (&f64, &f64)| RankChange {
            feature: String::new(),
            before: rank(&before, *value_before),
            now: rank(&now, *value_now),
            value_before: *value_before,
            value_now: *value_now,
        };
        let ranks: Vec<RankChange> = before.iter().zip(&now).map(change).collect();
        close(ndcg(&ranks).unwrap(), ranking["ndcg"].as_f64().unwrap(), 1e-12);
    }
    assert_eq!(ndcg(&[]), None);
}

// Bins

#[test]
fn deciles_hold_a_tenth_each_and_are_frozen() {
    let values: Vec<f64> = (0..1_000).map(f64::from).collect();
    let before = of_numbers(&values, None);
    let weights = (0..10).map(|bin| before.cells.iter().filter(|cell| cell.bin == bin).count());
    assert_eq!(weights.collect::<Vec<_>>(), [100; 10]);
    // All of a later run below the lowest edge, between two known values, or above the highest.
    for (value, bin) in [(-5.0, 0), (99.5, 0), (100.0, 1), (5e9, 9)] {
        let aligned = Aligned::new(&before, &of_numbers(&[value], None));
        assert_eq!(aligned.bins.iter().position(|(_, now)| *now == 1.0), Some(bin), "{value}");
    }
}

#[test]
fn a_value_that_most_rows_share_is_a_bin_for_itself() {
    let mut values = vec![0.0; 920];
    values.extend((1..=80).map(f64::from));
    let bins: Vec<u32> = of_numbers(&values, None).cells.iter().map(|cell| cell.bin).collect();
    assert_eq!((bins[0], bins[1], bins[80]), (0, 1, 1));
}

#[test]
fn missing_values_and_new_categories_are_bins_of_their_own() {
    let before = of_texts(&[Some("a"), Some("a"), Some("b"), None]);
    let now = of_texts(&[Some("a"), Some("c"), Some("d"), None]);
    assert_eq!(Aligned::new(&before, &now).bins, [(0.5, 0.25), (0.25, 0.0), (0.25, 0.25), (0.0, 0.5)]);
    // A text without any missing value before, with some now.
    let bins = Aligned::new(&of_texts(&[Some("a")]), &of_texts(&[None, Some("a")])).bins;
    assert_eq!(bins, [(1.0, 0.5), (0.0, 0.5)]);
    // Numbers: missing and infinite values stay out of KS and Wasserstein.
    let before = of_numbers(&[1.0, 2.0, f64::NAN], None);
    let now = of_numbers(&[1.0, 2.0, f64::INFINITY, f64::NEG_INFINITY], None);
    assert_eq!(measured(&before, &now, "ks"), 0.0);
    assert!(measured(&before, &now, "psi") > 1.0);
    let bins = Aligned::new(&before, &now).bins;
    assert_eq!(bins.len(), 4, "{bins:?}");
    assert_eq!(bins[3], (0.0, 0.5));
}

#[test]
fn numbers_where_there_were_none_are_new() {
    let aligned = Aligned::new(&of_numbers(&[f64::NAN; 3], None), &of_numbers(&[1.0, f64::NAN], None));
    assert_eq!(aligned.bins, [(1.0, 0.5), (0.0, 0.5)]);
    assert_eq!(measures::kolmogorov_smirnov(&aligned.numbers), None);
}

#[test]
fn codes_are_categories_with_their_names() {
    let mut counts = ColumnCounts::default();
    counts.update(Values::Numbers(&[1.0, 0.0, 1.0, 7.0, f64::NAN]), None);
    let names = ["no".to_owned(), "yes".to_owned()];
    let found: Vec<(CellValue, u32, u64)> =
        stored(&counts, Meaning::Codes(&names)).cells.into_iter().map(|cell| (cell.value, cell.bin, cell.n)).collect();
    let category = |name: &str| CellValue::Category(name.to_owned());
    assert_eq!(
        found,
        [(category("7"), 0, 1), (category("no"), 1, 1), (category("yes"), 2, 2), (CellValue::Missing, 3, 1)]
    );
}

// Laws

#[test]
fn a_run_has_not_drifted_from_itself() {
    for distribution in
        [of_numbers(&normal(10_000, 0.0, "a"), None), of_numbers(&[5.0], None), of_texts(&[Some("a"), None, Some("b")])]
    {
        for (measure, value) in measures::all(&Aligned::new(&distribution, &distribution)) {
            assert_eq!(value, 0.0, "{measure}");
        }
    }
}

#[test]
fn neither_the_order_of_rows_nor_how_they_come_matters() {
    let values = normal(30_000, 5.0, "order");
    let whole = of_numbers(&values, None);
    let mut parts = ColumnCounts::default();
    values.rchunks(777).for_each(|part| parts.update(Values::Numbers(part), None));
    assert_eq!(stored(&parts, Meaning::Quantity), whole);
    let names: Vec<String> = (0..5_000).map(|i| format!("name {}", i * 7919 % 1_500)).collect();
    let texts: Vec<Option<&str>> = names.iter().map(|name| Some(name.as_str())).collect();
    let backwards: Vec<Option<&str>> = texts.iter().rev().copied().collect();
    assert_eq!(of_texts(&texts), of_texts(&backwards));
}

#[test]
fn weights_count_as_repeated_rows() {
    let (values, weights) = ([1.0, 2.0, 4.0, f64::NAN], [2.0, 1.0, 3.0, 2.0]);
    let repeated = [1.0, 1.0, 2.0, 4.0, 4.0, 4.0, f64::NAN, f64::NAN];
    let now = of_numbers(&[2.0, 3.0, 9.0], None);
    for measure in ["psi", "js", "ks", "wasserstein"] {
        let weighted = measured(&of_numbers(&values, Some(&weights)), &now, measure);
        close(weighted, measured(&of_numbers(&repeated, None), &now, measure), 1e-12);
    }
}

#[test]
fn rows_without_any_weight_have_no_distribution_to_compare() {
    let nothing = of_numbers(&[1.0, 2.0], Some(&[0.0, 0.0]));
    assert_eq!(measures::all(&Aligned::new(&nothing, &of_numbers(&[1.0], None))), []);
}

#[test]
fn many_different_numbers_cost_little_memory_and_little_precision() {
    let (before, now) = (normal(30_000, 1.0, "before"), normal(20_000, 1.2, "now"));
    let (kept_before, kept_now) = (of_numbers(&before, None), of_numbers(&now, None));
    assert!(kept_before.coarseness > 0 && kept_before.cells.len() <= 4_096);
    let exact = exact_ks(before, now);
    let found = measured(&kept_before, &kept_now, "ks");
    assert!((found - exact).abs() < 0.005 && found <= exact + 1e-12, "{found} {exact}");
    // Two normal distributions 0.2 apart.
    close(measured(&kept_before, &kept_now, "wasserstein"), 0.2, 0.03);
}

fn exact_ks(mut before: Vec<f64>, mut now: Vec<f64>) -> f64 {
    before.sort_by(f64::total_cmp);
    now.sort_by(f64::total_cmp);
    let share = |values: &[f64], at: f64| values.partition_point(|value| *value <= at) as f64 / values.len() as f64;
    let at = before.iter().chain(&now);
    at.map(|at| (share(&before, *at) - share(&now, *at)).abs()).fold(0.0, f64::max)
}

#[test]
fn a_coarser_run_is_compared_in_its_own_cells() {
    // Few values before, many now: 0.5 and 0.5000001 fall together once the later run is coarse.
    let before = of_numbers(&[0.5, 0.500_000_1, 2.0], None);
    let now = of_numbers(&normal(30_000, 0.0, "coarse"), None);
    let aligned = Aligned::new(&before, &now);
    let weight = |side: fn(&(f64, f64, f64)) -> f64| aligned.numbers.iter().map(side).sum::<f64>();
    assert_eq!((weight(|row| row.1), weight(|row| row.2)), (3.0, 30_000.0));
    assert_eq!(aligned.numbers.iter().filter(|row| row.1 > 0.0).count(), 2);
    let (sums_before, sums_now) = aligned.bins.iter().fold((0.0, 0.0), |(a, b), (p, q)| (a + p, b + q));
    close(sums_before, 1.0, 1e-12);
    close(sums_now, 1.0, 1e-12);
}

#[test]
fn too_many_names_are_hashed_into_the_same_buckets_in_both_runs() {
    let many: Vec<String> = (0..3_000).map(|i| format!("name {i}")).collect();
    let few: Vec<Option<&str>> = many.iter().take(500).map(|name| Some(name.as_str())).collect();
    let all: Vec<Option<&str>> = many.iter().map(|name| Some(name.as_str())).collect();
    let (few, all) = (of_texts(&few), of_texts(&all));
    assert_eq!((few.coarseness, all.coarseness, all.cells.len()), (0, 1, 100));
    for (before, now) in [(&few, &all), (&all, &few)] {
        let aligned = Aligned::new(before, now);
        assert!(aligned.bins.len() <= 101, "{}", aligned.bins.len());
        // Names spread evenly: the buckets of a sixth of them are those of all.
        assert!(measures::jensen_shannon(&aligned.bins) < 0.2);
    }
}

#[test]
fn the_same_bucket_is_given_in_every_version() {
    assert_eq!(counts::bucket_of("Private"), "(bucket 51)");
    assert_eq!(counts::bucket_of(""), "(bucket 03)");
}

#[test]
fn a_shift_is_seen_by_every_measure() {
    let (before, now) = (of_numbers(&normal(2_000, 0.0, "x"), None), of_numbers(&normal(2_000, 2.0, "y"), None));
    let far = |measure, least| assert!(measured(&before, &now, measure) > least, "{measure}");
    far("psi", 1.0);
    far("js", 0.4);
    far("ks", 0.6);
    far("wasserstein", 1.9);
}

// Cells that no accumulator makes

#[test]
fn distributions_without_cells_are_not_measured() {
    let empty = Distribution::default();
    let one = Distribution {
        cells: vec![DistributionCell { value: CellValue::Number(1.0), bin: 0, n: 1, weight: 1.0 }],
        ..Distribution::default()
    };
    assert_eq!(measures::all(&Aligned::new(&empty, &one)), []);
    assert_eq!(measures::all(&Aligned::new(&one, &empty)), []);
}
