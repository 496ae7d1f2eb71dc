//! Measures of a regression by group, with standard errors from moments.

use super::Spec;
use super::accumulator::ValueOutput;
use super::cell::{ValueCell, Weights};
use super::estimate::{Basis, Cause, Estimate, Undefined};
use super::group_table::{Facts, GroupTable, interval};
use super::layout::{Layout, Slot};
use super::replicates::Replicates;
use super::score_gaps::{self, ScoreGaps};
use super::table::{Definition, Measure, View, measures};
use crate::stats::random::Stream;
use crate::stats::{Accumulator, Ranking};

/// A value with its standard error.
type Measured = Option<(f64, Option<f64>)>;

/// Measures all slots. Replicates are normal draws around each value with its standard error (a parametric
/// bootstrap), from which intervals of max − min and the like follow.
pub fn value_table(output: &ValueOutput, layout: &Layout, spec: &Spec) -> GroupTable {
    let cells: Vec<ValueCell> = layout.slots.iter().map(|slot| merged(output, &slot.cells)).collect();
    let labelled = cells.iter().any(|cell| cell.labelled.rows > 0);
    let measures = measures(View::Regression, labelled);
    let estimates: Vec<Vec<Estimate>> =
        measures.iter().map(|definition| cells.iter().map(|cell| estimate(definition, cell, spec)).collect()).collect();
    let replicates = replicates(&estimates, &measures, layout, spec);
    let facts = cells.iter().map(|cell| Facts {
        rows: cell.all.rows,
        weight: cell.all.total(),
        labelled: cell.labelled.total(),
        effective_rows: cell.all.effective(),
        effective_labelled: cell.labelled.effective(),
        ..Facts::default()
    });
    let pairs = score_gaps::pairs(layout);
    let values = score_gaps::exact(&pairs, &rankings(output, layout));
    let score_gaps = ScoreGaps { pairs, values, replicates: Vec::new() };
    GroupTable { facts: facts.collect(), measures, estimates, replicates, score_gaps }
}

fn merged(output: &ValueOutput, cells: &[u32]) -> ValueCell {
    let mut group = ValueCell::default();
    cells.iter().for_each(|&cell| group.merge(output.cells[cell as usize].clone()));
    group
}

/// Scores of every slot, without classes.
fn rankings(output: &ValueOutput, layout: &Layout) -> Vec<Ranking> {
    let slots = layout.slots_of_cells();
    let mut rankings = vec![Ranking::default(); layout.slots.len()];
    for mass in output.scores.finish() {
        for &slot in &slots[mass.cell as usize] {
            rankings[slot as usize].push(mass.score, mass.weight, None);
        }
    }
    rankings
}

fn estimate(definition: &Definition, cell: &ValueCell, spec: &Spec) -> Estimate {
    let rows = if definition.measure == Measure::MeanScore { cell.all.rows } else { cell.labelled.rows };
    let Some((value, std_err)) = value(definition.measure, cell) else {
        let cause = match (cell.all.rows, cell.labelled.rows) {
            (0, _) => Cause::NoRows,
            (_, 0) => Cause::NoLabels,
            _ if definition.measure == Measure::ActualExpected => Cause::NotPositive,
            _ => Cause::NoSpread,
        };
        return Estimate::undefined(Undefined::in_group(cause), rows);
    };
    let basis = std_err.map_or(Basis::Replicates, |std_err| Basis::Mean { std_err });
    let interval = interval(value, basis, rows, spec.confidence, &[]);
    Estimate { value: Ok(value), interval, p_value: None, denominator: rows, basis }
}

fn value(measure: Measure, cell: &ValueCell) -> Measured {
    let labelled = |weights: &Weights| (weights.total(), weights.effective());
    let (total, effective) = labelled(&cell.labelled);
    match measure {
        Measure::MeanScore => cell.score.mean(cell.all.total(), cell.all.effective()),
        Measure::MeanAbsoluteError => cell.absolute.mean(total, effective),
        Measure::MeanResidual => cell.residual.mean(total, effective),
        Measure::ActualExpected => {
            // Labels over scores of the same rows: 1 + mean residual / mean score.
            let [label, ..] = cell.powers.each_ref().map(|sum| sum.value());
            let residual = cell.residual.mean(total, effective)?;
            let score = label / total - residual.0;
            (score > 0.0 && label >= 0.0).then(|| (label / total / score, residual.1.map(|std_err| std_err / score)))
        }
        // √ of the mean squared error; its standard error by the delta method.
        Measure::RootMeanSquaredError => cell.squared.mean(total, effective).map(|(square, std_err)| {
            let root = square.sqrt();
            (root, std_err.filter(|_| root > 0.0).map(|std_err| std_err / (2.0 * root)))
        }),
        Measure::R2 => r2(cell, total, effective),
        _ => None,
    }
}

/// R² = 1 − A / B with A = mean e, e the squared residual, and B = mean d², d = y − ȳ. Its standard error is that of
/// the mean of its influence function −(e − A) / B + A (d² − B) / B², expanded into moments.
fn r2(cell: &ValueCell, total: f64, effective: f64) -> Measured {
    let (a, std_err_a) = cell.squared.mean(total, effective)?;
    let [y, y2, y3, y4, ey, ey2] = cell.powers.each_ref().map(|sum| sum.value() / total);
    let b = y2 - y * y;
    // Labels that are equal leave only rounding.
    if b <= 1e-14 * y2.abs() {
        return None;
    }
    let value = 1.0 - a / b;
    let std_err = std_err_a.map(|std_err_a| {
        let var_e = std_err_a.powi(2) * (effective - 1.0);
        let var_d2 = (y4 - 4.0 * y * y3 + 6.0 * y * y * y2 - 3.0 * y.powi(4) - b * b).max(0.0);
        let cov = ey2 - 2.0 * y * ey + y * y * a - a * b;
        let variance = var_e / (b * b) + a * a * var_d2 / b.powi(4) - 2.0 * a * cov / b.powi(3);
        (variance.max(0.0) / (effective - 1.0)).sqrt()
    });
    Some((value, std_err))
}

fn replicates(estimates: &[Vec<Estimate>], measures: &[&Definition], layout: &Layout, spec: &Spec) -> Replicates {
    if spec.bootstrap == 0 {
        return Replicates::default();
    }
    let base = Stream::new(spec.seed, "fairness regression");
    let draws = |estimate: &Estimate, stream: Stream| match (estimate.value, estimate.basis) {
        (Ok(value), Basis::Mean { std_err }) => {
            (0..spec.bootstrap as u64).map(|round| value + std_err * stream.normal(round)).collect()
        }
        _ => vec![f64::NAN; spec.bootstrap],
    };
    let stream = |measure: &Definition, slot: &Slot| {
        let name = [measure.name, &slot.attribute, &slot.group, &slot.stratum].join("\u{1f}");
        base.child(Stream::new(0, &name).at(0))
    };
    let values = measures.iter().zip(estimates).flat_map(|(measure, row)| {
        row.iter().zip(&layout.slots).map(move |(estimate, slot)| draws(estimate, stream(measure, slot)))
    });
    Replicates::new(layout.slots.len(), values.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fairness::cell::ValueRow;

    fn cell(rows: &[(f64, f64)], weight: f64) -> ValueCell {
        let mut cell = ValueCell::default();
        for &(label, score) in rows {
            cell.update(&ValueRow { label: Some(label), score, weight }, weight != 1.0);
        }
        cell
    }

    const ROWS: [(f64, f64); 4] = [(3.0, 2.5), (-0.5, 0.0), (2.0, 2.0), (7.0, 8.0)];

    #[test]
    fn scikit_learns_own_example() {
        let value = |measure| value(measure, &cell(&ROWS, 1.0)).unwrap().0;
        assert_eq!(value(Measure::MeanAbsoluteError), 0.5);
        assert!((value(Measure::RootMeanSquaredError) - 0.375f64.sqrt()).abs() < 1e-15);
        assert!((value(Measure::R2) - 0.9486081370449679).abs() < 1e-15);
        assert_eq!(value(Measure::MeanResidual), -0.25);
        assert_eq!(value(Measure::MeanScore), 3.125);
    }

    #[test]
    fn weights_that_are_equal_change_nothing() {
        for measure in [Measure::R2, Measure::RootMeanSquaredError, Measure::MeanScore] {
            let (one, two) = (value(measure, &cell(&ROWS, 1.0)).unwrap(), value(measure, &cell(&ROWS, 2.5)).unwrap());
            assert!((one.0 - two.0).abs() < 1e-12 && (one.1.unwrap() - two.1.unwrap()).abs() < 1e-12, "{measure:?}");
        }
    }

    #[test]
    fn the_standard_error_of_r2_is_that_of_its_influence_function() {
        let stream = Stream::new(1, "r2");
        let rows: Vec<(f64, f64)> = (0..500)
            .map(|i| {
                let y = 10.0 + stream.normal(2 * i);
                (y, y + 0.5 * stream.normal(2 * i + 1))
            })
            .collect();
        let n = rows.len() as f64;
        let mean = rows.iter().map(|row| row.0).sum::<f64>() / n;
        let a = rows.iter().map(|(y, s)| (y - s).powi(2)).sum::<f64>() / n;
        let b = rows.iter().map(|(y, _)| (y - mean).powi(2)).sum::<f64>() / n;
        let influence = rows.iter().map(|(y, s)| {
            let (e, d2) = ((y - s).powi(2), (y - mean).powi(2));
            -(e - a) / b + a * (d2 - b) / (b * b)
        });
        let expected = (influence.map(|x| x * x).sum::<f64>() / n / (n - 1.0)).sqrt();
        let (_, std_err) = value(Measure::R2, &cell(&rows, 1.0)).unwrap();
        assert!((std_err.unwrap() / expected - 1.0).abs() < 1e-6);
    }

    #[test]
    fn constant_labels_have_no_r2_and_no_rows_have_nothing() {
        assert_eq!(value(Measure::R2, &cell(&[(0.1, 0.2), (0.1, 0.4)], 1.0)), None);
        assert_eq!(value(Measure::MeanScore, &ValueCell::default()), None);
    }
}
