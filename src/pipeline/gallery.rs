//! Rows kept for the reader: a seeded sample for beeswarms, and a few cases worth looking at one by one.

use super::explanation::Surrogates;
use super::players::Values;
use crate::audit::{Case, CaseFit, CaseTerm, Sample, SampleSeries};
use crate::dataset::Features;
use crate::explain::{Attributions, largest};
use crate::plan::{choose, within};
use std::collections::BTreeMap;

/// Rows of the sample: enough to see the shape of every feature, few enough for a small file.
const SAMPLE_ROWS: u64 = 1_000;

#[derive(Default)]
pub struct Gallery {
    n_explained: u64,
    seen: u64,
    /// Positions among the explained rows; `None` = all of them.
    chosen: Option<Vec<u64>>,
    features: Vec<String>,
    outputs: Vec<String>,
    threshold: Option<f64>,
    /// Terms of a case that stand alone; 0 = all.
    top_k: usize,
    series: BTreeMap<(usize, usize), SampleSeries>,
    cases: BTreeMap<Pick, (f64, Picked)>,
}

/// A case and where its row is.
#[derive(Debug, Clone, PartialEq)]
pub struct Picked {
    /// The row's position in the data.
    pub row: u64,
    /// The row alone.
    pub features: Features,
    pub case: Case,
}

/// Why a row is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Pick {
    Highest,
    Lowest,
    Nearest,
    Unusual,
}

impl Pick {
    fn name(self) -> &'static str {
        match self {
            Pick::Highest => "highest score",
            Pick::Lowest => "lowest score",
            Pick::Nearest => "nearest the threshold",
            Pick::Unusual => "most unusual explanation",
        }
    }
}

/// Explained rows of one batch.
pub struct Shown<'a> {
    pub attributions: &'a Attributions,
    pub surrogates: Option<&'a Surrogates>,
    /// The rows' positions in the data.
    pub keys: &'a [u64],
    pub features: &'a Features,
    /// Position among `outputs` of each row's attribution `[rows × explained]`; the same for all rows unless predicted.
    pub output_of: &'a dyn Fn(usize, usize) -> usize,
    pub values: &'a [Values<'a>],
    pub ids: &'a dyn Fn(usize) -> String,
    pub label: &'a dyn Fn(usize) -> Option<String>,
    /// What the model reports for a row and output.
    pub score: &'a dyn Fn(usize, usize) -> f64,
}

impl Gallery {
    pub fn new(
        n_explained: u64,
        seed: u64,
        features: &[String],
        outputs: &[String],
        threshold: Option<f64>,
        top_k: usize,
    ) -> Self {
        Self {
            n_explained,
            seen: 0,
            chosen: choose(n_explained, SAMPLE_ROWS, seed, "gallery"),
            features: features.to_vec(),
            outputs: outputs.to_vec(),
            threshold,
            top_k,
            series: BTreeMap::new(),
            cases: BTreeMap::new(),
        }
    }

    pub fn update(&mut self, shown: &Shown) {
        let n_rows = shown.attributions.phi.shape()[0];
        self.sample(shown, n_rows);
        for row in 0..n_rows {
            self.consider(shown, row);
        }
        self.seen += n_rows as u64;
    }

    fn sample(&mut self, shown: &Shown, n_rows: usize) {
        let rows = within(self.chosen.as_deref(), self.seen, n_rows);
        for row in rows {
            for explained in 0..shown.attributions.phi.shape()[1] {
                let output = (shown.output_of)(row, explained);
                for (feature, values) in shown.values.iter().enumerate() {
                    let series = self.series.entry((output, feature)).or_insert_with(|| SampleSeries {
                        feature: self.features[feature].clone(),
                        output: self.outputs[output].clone(),
                        attribution: Vec::new(),
                        value: Vec::new(),
                    });
                    series.attribution.push(shown.attributions.phi[[row, explained, feature]]);
                    series.value.push(values.number(row));
                }
            }
        }
    }

    /// Keeps a row that beats the best so far; the first of equals stays.
    fn consider(&mut self, shown: &Shown, row: usize) {
        let score = (shown.score)(row, (shown.output_of)(row, 0));
        let spread: f64 = shown.attributions.phi.slice(ndarray::s![row, 0, ..]).iter().map(|phi| phi * phi).sum();
        let near = self.threshold.map(|threshold| (Pick::Nearest, -(score - threshold).abs()));
        let ranks = [Some((Pick::Highest, score)), Some((Pick::Lowest, -score)), near, Some((Pick::Unusual, spread))];
        for (pick, rank) in ranks.into_iter().flatten() {
            if self.cases.get(&pick).is_none_or(|(best, _)| rank > *best) {
                let names = Names { features: &self.features, outputs: &self.outputs, top_k: self.top_k };
                let case = case(shown, row, pick.name(), &names);
                self.cases
                    .insert(pick, (rank, Picked { row: shown.keys[row], features: shown.features.take(&[row]), case }));
            }
        }
    }

    pub fn finish(self) -> (Sample, Vec<Picked>) {
        let n_rows = self.n_explained.min(SAMPLE_ROWS);
        let sample = Sample { n_total: self.n_explained, n_rows, series: self.series.into_values().collect() };
        (sample, self.cases.into_values().map(|(_, picked)| picked).collect())
    }
}

/// What cases are told in.
pub struct Names<'a> {
    pub features: &'a [String],
    pub outputs: &'a [String],
    /// Terms that stand alone; 0 = all.
    pub top_k: usize,
}

/// A row as a case: its first explained output.
pub fn case(shown: &Shown, row: usize, chosen_as: &str, names: &Names) -> Case {
    let output = (shown.output_of)(row, 0);
    let phi = shown.attributions.phi.slice(ndarray::s![row, 0, ..]);
    let base_value = shown.attributions.base[[row, 0]];
    let term_of = |at: usize| shown.surrogates.map(|surrogates| surrogates.terms[row][at].clone());
    let kept = largest(phi, names.top_k);
    let terms = kept.features.iter().map(|feature| CaseTerm {
        feature: names.features[*feature].clone(),
        feature_value: shown.values[*feature].text(row),
        attribution: phi[*feature],
        term: term_of(*feature),
    });
    Case {
        row_id: (shown.ids)(row),
        chosen_as: chosen_as.to_owned(),
        output: names.outputs[output].clone(),
        label: (shown.label)(row),
        score: (shown.score)(row, output),
        explained_score: phi.sum() + base_value,
        base_value,
        terms: terms.collect(),
        other: kept.other(phi),
        flip: None,
        local_fit: shown.surrogates.map(|surrogates| {
            let fit = surrogates.fits[[row, 0]];
            CaseFit { local_prediction: fit.local_prediction, r2: fit.r2, stability: fit.stability }
        }),
    }
}
