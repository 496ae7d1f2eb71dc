//! What the model reports when one raw column takes each of some values, read off its trees.

use super::{Native, NativeKind, RowSource};
use crate::dataset::{Column, Features};
use crate::forest::Forest;
use crate::forest::cuts::{BLOCK, Cuts};
use crate::forest::profiles::{Axis, Profiles, Scratch};
use crate::forest::simd::Sums;
use crate::model::predictor::PredictError;
use ndarray::{Array2, ArrayView2};

/// Margins of one block that are kept at a time, in numbers per row: the second-level cache holds them.
const MOST_SUMS: usize = 4_096;

/// A raw column with the values that it takes.
#[derive(Debug, Clone, PartialEq)]
pub struct AskedColumn {
    /// Position among the raw columns.
    pub column: usize,
    pub values: Column,
}

/// A forest asked about some raw columns.
pub struct NativeProfiles<'a> {
    native: &'a Native,
    groups: Vec<Group>,
}

/// Columns that are asked about together.
struct Group {
    profiles: Profiles,
    /// Of each: its place among those asked for, and how many values it takes.
    columns: Vec<(usize, usize)>,
}

/// Buffers of one thread.
pub struct ProfileBuffers(Vec<Scratch>);

/// Scores of one block of rows for one value.
pub(crate) struct ProfileScores<'a> {
    /// Which of the columns asked for, which of its values, which output of the audit.
    pub asked: usize,
    pub value: usize,
    pub output: usize,
    /// One for each row of the block.
    pub scores: &'a [f64],
}

impl Native {
    /// How raw values reach the forest's features; `Err` says why a column cannot be asked this way. `example` is a row that
    /// the model takes; `inner` runs preprocessing nodes, once for each value.
    pub(crate) fn axis(
        &self,
        asked: &AskedColumn,
        example: &Features,
        inner: impl Fn(&Features) -> Result<Option<Array2<f64>>, PredictError>,
    ) -> Result<Axis, String> {
        let n_points = match &asked.values {
            Column::Number(values) => values.len(),
            Column::Text(values) => values.len(),
            Column::Tensor { .. } => return Err("it holds tensors".to_owned()),
        };
        let mut features = example.take(&vec![0; n_points]);
        features.columns[asked.column] = asked.values.clone();
        let inner = inner(&features).map_err(|error| error.to_string())?;
        let rows = self.rows(&features, inner.as_ref()).ok_or("its values do not reach the trees")?;
        let owned = |feature: &usize| self.columns[*feature] == asked.column;
        let same = |a: f64, b: f64| a == b || a.is_nan() && b.is_nan();
        let moves = |feature: usize| rows.column(feature).iter().any(|value| !same(*value, rows[[0, feature]]));
        if (0..rows.ncols()).any(|feature| !owned(&feature) && moves(feature)) {
            return Err("features of other columns move with it".to_owned());
        }
        let features: Vec<usize> = (0..rows.ncols()).filter(owned).collect();
        let points = rows.select(ndarray::Axis(1), &features);
        Ok(Axis { features: features.into_iter().map(|feature| feature as u32).collect(), points })
    }

    /// Profiles along `axes`; `None` where the structure is not a forest.
    pub(crate) fn profiles(&self, axes: &[Axis]) -> Option<NativeProfiles<'_>> {
        let NativeKind::Forest(forest, _) = &self.kind else { return None };
        let size = |axis: &Axis| (axis.points.nrows() + 1) * forest.n_outputs;
        let (mut groups, mut from) = (Vec::new(), 0);
        while from < axes.len() {
            let mut total = 0;
            let more = axes[from..].iter().take_while(|axis| {
                total += size(axis);
                total <= MOST_SUMS
            });
            let until = from + more.count().max(1);
            groups.push(Group {
                profiles: Profiles::new(forest, &axes[from..until]),
                columns: (from..until).map(|at| (at, axes[at].points.nrows())).collect(),
            });
            from = until;
        }
        Some(NativeProfiles { native: self, groups })
    }

    /// The forest, where the structure is one.
    pub fn forest(&self) -> Option<&Forest> {
        match &self.kind {
            NativeKind::Forest(forest, _) => Some(forest),
            NativeKind::Linear { .. } => None,
        }
    }

    /// The least number of every piece on which the forest tells values of a raw column apart but the lowest, ascending, as
    /// the model reads numbers; `None` where preprocessing stands between, or more than one feature comes from the column.
    pub fn pieces(&self, column: usize) -> Option<Vec<f64>> {
        let (forest, RowSource::Columns(places)) = (self.forest()?, &self.source) else { return None };
        let mut features = (0..places.len()).filter(|feature| places[*feature].0 == column);
        let (feature, None) = (features.next()?, features.next()) else { return None };
        let mut starts: Vec<f64> =
            Cuts::of(forest).of_feature(feature as u32).iter().map(|cut| self.up(*cut)).collect();
        starts.retain(|start| start.is_finite());
        starts.dedup();
        Some(starts)
    }

    /// The least number of the model's type that is not below `x`.
    fn up(&self, x: f64) -> f64 {
        let rounded = x as f32;
        match self.rounds_to_f32 {
            false => x,
            true if f64::from(rounded) < x => f64::from(rounded.next_up()),
            true => f64::from(rounded),
        }
    }

    /// The greatest number of the model's type below `x`, which is of that type.
    pub fn below(&self, x: f64) -> f64 {
        if self.rounds_to_f32 { f64::from((x as f32).next_down()) } else { x.next_down() }
    }
}

impl NativeProfiles<'_> {
    pub(crate) fn buffers(&self) -> ProfileBuffers {
        ProfileBuffers(self.groups.iter().map(|group| group.profiles.scratch()).collect())
    }

    /// Scores of at most 64 rows `[rows × features]` for every value of every column.
    pub(crate) fn scores(
        &self,
        rows: ArrayView2<f64>,
        buffers: &mut ProfileBuffers,
        mut visit: impl FnMut(ProfileScores),
    ) {
        for (group, scratch) in self.groups.iter().zip(&mut buffers.0) {
            group.profiles.fill(rows.view(), scratch);
            for (axis, (asked, n_values)) in group.columns.iter().enumerate() {
                self.reported(group, scratch, axis, *n_values, rows.nrows(), |value, output, scores| {
                    visit(ProfileScores { asked: *asked, value, output, scores });
                });
            }
        }
    }

    fn reported(
        &self,
        group: &Group,
        scratch: &Scratch,
        axis: usize,
        n_values: usize,
        n_rows: usize,
        mut visit: impl FnMut(usize, usize, &[f64]),
    ) {
        let native = self.native;
        let alone: Option<Vec<usize>> = native.reported.iter().map(|column| native.report.alone(*column)).collect();
        if let Some(alone) = alone {
            let mut scores = [0.0; BLOCK];
            for (output, (margin, column)) in alone.iter().zip(&native.reported).enumerate() {
                let margins = group.profiles.margins(scratch, axis, *margin);
                for (value, margins) in margins.iter().enumerate() {
                    let scores = &mut scores[..n_rows];
                    scores.copy_from_slice(&margins.0[..n_rows]);
                    native.report.report_alone(*column, scores, group.profiles.simd());
                    visit(value, output, scores);
                }
            }
            return;
        }
        let margins: Vec<&[Sums]> =
            (0..self.n_margins()).map(|margin| group.profiles.margins(scratch, axis, margin)).collect();
        let mut all = vec![[0.0; BLOCK]; native.reported.len()];
        for value in 0..n_values {
            for row in 0..n_rows {
                let own: Vec<f64> = margins.iter().map(|margins| margins[value].0[row]).collect();
                let columns = native.report.reported(&own);
                all.iter_mut().zip(&native.reported).for_each(|(all, column)| all[row] = columns[*column]);
            }
            all.iter().enumerate().for_each(|(output, scores)| visit(value, output, &scores[..n_rows]));
        }
    }

    fn n_margins(&self) -> usize {
        self.native.forest().map_or(0, |forest| forest.n_outputs)
    }
}

#[cfg(test)]
impl Native {
    /// A forest over number columns, in order, that reports its margins through `report`.
    pub(crate) fn of_forest(forest: Forest, report: crate::model::import::Report) -> Self {
        let (n, outputs) = (forest.n_features, report.columns.len());
        Self {
            columns: (0..n).collect(),
            margins: vec![0; outputs],
            reported: (0..outputs).collect(),
            source: RowSource::Columns((0..n).map(|column| (column, 0)).collect()),
            rounds_to_f32: true,
            flat: Some(crate::forest::FlatForest::new(&forest)),
            kind: NativeKind::Forest(forest, Vec::new()),
            report,
        }
    }
}
