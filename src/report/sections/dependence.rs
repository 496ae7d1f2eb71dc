//! How attributions depend on the values of single features.

use super::drivers::{MAX_DOTS, has_order, ordered_series, short_scale};
use super::overlaid::Overlaid;
use crate::audit::{Importance, SampleSeries};
use crate::report::charts::plot::{self, Axis, Cloud, Series};
use crate::report::charts::{Chart, Figure};
use crate::report::label::{self, Label};
use crate::report::lookup::Lookup;
use crate::report::number;
use crate::report::scale::Scale;
use crate::report::table::{Cell, Column, Table};
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
    let overlaid = Overlaid::of(lookup, series, &shown);
    let domain = |values: Vec<f64>| Scale::around(values, &[], (0.0, 1.0)).domain;
    let title = say!("axis.attribution", scale = short_scale(lookup));
    let x = Axis { title: &series.feature, domain: domain(shown.iter().map(|p| p.0).collect()), percent: false };
    let heights = shown.iter().map(|p| p.1).chain(overlaid.heights()).collect();
    let y = Axis { title: &title, domain: domain(heights), percent: false };
    let of_score = say!("axis.effect");
    let right = overlaid.axis(&of_score, y.domain);
    let (mut drawn, x_scale, y_scale) = plot::frame_with(&x, &y, right.as_ref(), 300.0);
    let place = |p: &(f64, f64)| (x_scale.at(p.0), y_scale.at(p.1));
    drawn.clouds.push(Cloud { class: "cloud".into(), d: plot::dots(shown.iter().map(place)) });
    let medians = medians(&points);
    let has_line = medians.len() >= MIN_RUNS;
    let median = Series { name: say!("dependence.median"), points: medians, ..Series::default() };
    let lines: Vec<Series> = has_line.then_some(median).into_iter().chain(overlaid.series(x.domain)).collect();
    drawn.lines = plot::lines_on(&lines, &x_scale, &y_scale);
    if !overlaid.is_empty() {
        let strokes = plot::strokes(&lines, &x_scale, &y_scale).into_iter();
        drawn.legend = plot::legend(&lines, &drawn, &strokes.chain(shown.iter().map(place)).collect::<Vec<_>>());
    }
    let name = label::shorten(&series.feature, 60);
    let rows = words::rows_shown(shown.len(), lookup.audit.sample.n_total);
    let note = match has_line {
        true => say!("dependence.note_line", rows = rows),
        false => say!("dependence.note", rows = rows),
    };
    Some(Figure {
        id: format!("fig-dependence-{at}"),
        template: "charts/plot.svg",
        title: match overlaid.is_empty() {
            true => say!("dependence.title", name = &name),
            false => say!("dependence.title_with", name = &name, curves = overlaid.names()),
        },
        desc: match overlaid.is_empty() {
            true => say!("dependence.desc", name = &name),
            false => say!("dependence.desc_with", name = &name, curves = overlaid.names()),
        },
        note: Some([Some(note), overlaid.note()].into_iter().flatten().collect::<Vec<_>>().join(" ")),
        wide: false,
        table: dependence_table(&name, &points, &overlaid),
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

fn dependence_table(name: &str, points: &[(f64, f64)], overlaid: &Overlaid) -> Table {
    let mut table = Table::new(say!("dependence.table", name = name), &heads!("value_near median_attribution"));
    table.columns.extend(overlaid.heads().into_iter().map(|head| Column::new(head, true)));
    let medians = medians(points);
    let largest = medians.iter().map(|p| p.1.abs()).fold(0.0, f64::max);
    let decimals = number::decimals_for(largest, 3);
    for (value, phi) in medians {
        let mut cells = vec![Cell::number(number::signed(phi, decimals))];
        cells.extend(overlaid.cells(value));
        table.push(Label::fit(&number::compact(value), 30), cells);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Audit, CurvePoint};
    use crate::report::example;

    #[test]
    fn medians_follow_the_values_and_keep_equal_values_together() {
        let points: Vec<(f64, f64)> = (0..100).map(|i| (f64::from(i), 2.0 * f64::from(i))).collect();
        let line = medians(&points);
        assert_eq!(line.len(), 10);
        assert!(line.iter().all(|(x, y)| *y == 2.0 * x));
        assert_eq!(medians(&[(1.0, 5.0); 50]), [(1.0, 5.0)]);
    }

    #[test]
    fn curves_of_the_score_stand_on_the_scatter_in_its_words_and_in_its_table() {
        let mut audit = example::binary();
        let figure = |audit: &Audit| {
            let lookup = Lookup::new(audit);
            charts(&lookup, ">50K", &lookup.importance("attribution", ">50K")).remove(0)
        };
        let plain = figure(&audit);
        assert_eq!((plain.title.as_str(), plain.table.columns.len()), ("Dependence on age", 2));
        for x in [0.0, 49.0] {
            let roc = audit.curves[0].clone();
            audit.curves.push(CurvePoint { kind: "ale".into(), feature: "age".into(), x, y: 0.01 * x, ..roc });
        }
        let with = figure(&audit);
        assert_eq!(with.title, "Dependence on age, with accumulated local effect");
        assert!(with.desc.contains("accumulated local effect of the score"), "{}", with.desc);
        let row = &with.table.rows[0];
        assert_eq!(
            (row.cells.len(), with.table.columns[2].text.as_str()),
            (2, "accumulated local effect, less its mean")
        );
        // The lowest run's median is 2, the mean of 0…49 is 24.5.
        assert_eq!((row.head.text.as_str(), row.cells[1].text.as_str()), ("2", "−0.225"));
        let Chart::Plot(plot) = &with.chart else { panic!("no plot") };
        assert_eq!((plot.lines.len(), plot.legend.len(), plot.right_axis.is_some()), (2, 2, true));
    }
}
