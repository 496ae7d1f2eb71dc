//! How attributions depend on the values of single features.

use super::drivers::{MAX_DOTS, has_order, ordered_series, short_scale};
use crate::audit::{Importance, SampleSeries};
use crate::report::charts::plot::{self, Axis, Cloud, Series};
use crate::report::charts::{Chart, Figure};
use crate::report::label::{self, Label};
use crate::report::lookup::Lookup;
use crate::report::number;
use crate::report::scale::Scale;
use crate::report::table::{Cell, Table};
use crate::report::text::{heads, say};
use crate::report::words;

/// Features with a plot.
const MAX_FEATURES: usize = 4;
/// Fewer runs of neighbouring rows than this make no line: it would cross values that nobody has.
const MIN_RUNS: usize = 4;

/// Attribution against value for the leading numeric features.
pub fn charts(lookup: &Lookup, output: &str, order: &[&Importance]) -> Vec<Figure> {
    let series = ordered_series(lookup, output, order);
    let numeric = series.into_iter().filter(|s| has_order(lookup, &s.feature) && s.value.iter().flatten().count() > 1);
    numeric.take(MAX_FEATURES).enumerate().filter_map(|(at, s)| dependence(lookup, at, s)).collect()
}

fn dependence(lookup: &Lookup, at: usize, series: &SampleSeries) -> Option<Figure> {
    let pairs = series.value.iter().zip(&series.attribution).filter_map(|(v, phi)| v.map(|v| (v, *phi)));
    let points: Vec<(f64, f64)> = pairs.filter(|(v, phi)| v.is_finite() && phi.is_finite()).collect();
    let shown = plot::thin(&points, MAX_DOTS);
    if shown.len() < 2 {
        return None;
    }
    let domain = |values: Vec<f64>| Scale::around(values, &[], (0.0, 1.0)).domain;
    let title = say!("axis.attribution", scale = short_scale(lookup));
    let x = Axis { title: &series.feature, domain: domain(shown.iter().map(|p| p.0).collect()), percent: false };
    let y = Axis { title: &title, domain: domain(shown.iter().map(|p| p.1).collect()), percent: false };
    let (mut drawn, x_scale, y_scale) = plot::frame(&x, &y, 300.0);
    let d = plot::dots(shown.iter().map(|p| (x_scale.at(p.0), y_scale.at(p.1))));
    drawn.clouds.push(Cloud { class: "cloud".into(), d });
    let medians = medians(&points);
    let has_line = medians.len() >= MIN_RUNS;
    if has_line {
        drawn.lines = plot::lines_on(&[Series { points: medians, ..Series::default() }], &x_scale, &y_scale);
    }
    let name = label::shorten(&series.feature, 60);
    let rows = words::rows_shown(shown.len(), lookup.audit.sample.n_total);
    Some(Figure {
        id: format!("fig-dependence-{at}"),
        template: "charts/plot.svg",
        title: say!("dependence.title", name = &name),
        desc: say!("dependence.desc", name = &name),
        note: Some(match has_line {
            true => say!("dependence.note_line", rows = rows),
            false => say!("dependence.note", rows = rows),
        }),
        wide: false,
        table: dependence_table(&name, &points),
        chart: Chart::Plot(Box::new(drawn)),
    })
}

/// Medians of value and attribution in at most ten runs of rows sorted by value; equal values stay together.
fn medians(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    const RUNS: usize = 10;
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut runs: Vec<Vec<(f64, f64)>> = Vec::new();
    for same in sorted.chunk_by(|a, b| a.0 == b.0) {
        match runs.last_mut() {
            Some(run) if run.len() < sorted.len().div_ceil(RUNS) => run.extend_from_slice(same),
            _ => runs.push(same.to_vec()),
        }
    }
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let middle =
        |run: &Vec<(f64, f64)>| (median(run.iter().map(|p| p.0).collect()), median(run.iter().map(|p| p.1).collect()));
    runs.iter().map(middle).collect()
}

fn dependence_table(name: &str, points: &[(f64, f64)]) -> Table {
    let mut table = Table::new(say!("dependence.table", name = name), &heads!("value_near median_attribution"));
    let medians = medians(points);
    let largest = medians.iter().map(|p| p.1.abs()).fold(0.0, f64::max);
    let decimals = number::decimals_for(largest, 3);
    for (value, phi) in medians {
        table.push(Label::fit(&number::compact(value), 30), vec![Cell::number(number::signed(phi, decimals))]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_follow_the_values_and_keep_equal_values_together() {
        let points: Vec<(f64, f64)> = (0..100).map(|i| (f64::from(i), 2.0 * f64::from(i))).collect();
        let line = medians(&points);
        assert_eq!(line.len(), 10);
        assert!(line.iter().all(|(x, y)| *y == 2.0 * x));
        assert_eq!(medians(&[(1.0, 5.0); 50]), [(1.0, 5.0)]);
    }
}
