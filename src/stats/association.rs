//! How much one categorical variable tells of another.

use statrs::distribution::{ChiSquared, ContinuousCDF};

/// What a table of counts says about its two variables.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Association {
    /// Mutual information in nats, less its expected value under independence (Miller and Madow 1955), not below 0.
    pub mutual_information: f64,
    /// Share of the column variable's entropy that the row variable takes away (Theil's U), 0 to 1.
    pub uncertainty_coefficient: f64,
    /// Cramér's V, corrected for its bias (Bergsma 2013).
    pub cramers_v: f64,
    /// χ² test of independence, asymptotically.
    pub p_value: Option<f64>,
}

/// The association of a table `counts[row][column]`, empty rows and columns left out. `None` unless two rows and two
/// columns are filled.
pub fn association(counts: &[Vec<u64>]) -> Option<Association> {
    let n_columns = counts.iter().map(Vec::len).max().unwrap_or(0);
    let at = |row: usize, column: usize| counts[row].get(column).copied().unwrap_or(0) as f64;
    let row_totals: Vec<f64> = counts.iter().map(|row| row.iter().sum::<u64>() as f64).collect();
    let column_totals: Vec<f64> = (0..n_columns).map(|c| (0..counts.len()).map(|r| at(r, c)).sum()).collect();
    let n: f64 = row_totals.iter().sum();
    let filled = |totals: &[f64]| totals.iter().filter(|total| **total > 0.0).count() as f64;
    let (rows, columns) = (filled(&row_totals), filled(&column_totals));
    if rows < 2.0 || columns < 2.0 {
        return None;
    }
    let (mut information, mut chi2) = (0.0, 0.0);
    for (row, row_total) in row_totals.iter().enumerate().filter(|(_, total)| **total > 0.0) {
        for (column, column_total) in column_totals.iter().enumerate().filter(|(_, total)| **total > 0.0) {
            let (count, expected) = (at(row, column), row_total * column_total / n);
            chi2 += (count - expected).powi(2) / expected;
            if count > 0.0 {
                information += count / n * (count / expected).ln();
            }
        }
    }
    let degrees = (rows - 1.0) * (columns - 1.0);
    let mutual_information = (information - degrees / (2.0 * n)).max(0.0);
    let entropy: f64 = column_totals.iter().filter(|t| **t > 0.0).map(|total| -total / n * (total / n).ln()).sum();
    let corrected = (chi2 / n - degrees / (n - 1.0)).max(0.0);
    let shrunk = |levels: f64| levels - (levels - 1.0).powi(2) / (n - 1.0);
    let smallest = (shrunk(rows) - 1.0).min(shrunk(columns) - 1.0);
    Some(Association {
        mutual_information,
        uncertainty_coefficient: (mutual_information / entropy).min(1.0),
        cramers_v: if smallest > 0.0 { (corrected / smallest).sqrt().min(1.0) } else { 0.0 },
        p_value: ChiSquared::new(degrees).ok().map(|distribution| distribution.sf(chi2)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::Stream;

    #[test]
    fn a_worked_table() {
        // SciPy: chi2_contingency([[10, 20, 30], [6, 9, 17]], correction=False) and scikit-learn's mutual_info_score.
        let result = association(&[vec![10, 20, 30], vec![6, 9, 17]]).unwrap();
        assert!((result.p_value.unwrap() - 0.873028283380073).abs() < 1e-12, "{result:?}");
        // 0.001483… nats, less 2 / 184: nothing is left.
        assert_eq!((result.mutual_information, result.cramers_v), (0.0, 0.0));
    }

    #[test]
    fn a_copy_tells_everything_and_empty_levels_do_not_count() {
        let result = association(&[vec![500, 0, 0], vec![0, 0, 500], vec![0, 0, 0]]).unwrap();
        assert!((result.uncertainty_coefficient - 1.0).abs() < 1e-3 && (result.cramers_v - 1.0).abs() < 1e-3);
        assert!((result.mutual_information - (2.0f64.ln() - 1.0 / 2_000.0)).abs() < 1e-12);
        assert!(result.p_value.unwrap() < 1e-12);
    }

    #[test]
    fn one_level_tells_nothing() {
        assert_eq!(association(&[vec![3, 4]]), None);
        assert_eq!(association(&[vec![3], vec![4]]), None);
        assert_eq!(association(&[]), None);
    }

    #[test]
    fn independence_has_no_information_on_average() {
        let mut sum = 0.0;
        for trial in 0..200 {
            let stream = Stream::new(trial, "independent");
            let mut counts = vec![vec![0u64; 4]; 10];
            (0..1_000).for_each(|i| {
                counts[(stream.unit(2 * i) * 10.0) as usize][(stream.unit(2 * i + 1) * 4.0) as usize] += 1;
            });
            sum += association(&counts).unwrap().uncertainty_coefficient;
        }
        // Without the correction it would be 27 / 2,000 nats of 1.39: 0.0097.
        assert!(sum / 200.0 < 0.002, "{}", sum / 200.0);
    }
}
