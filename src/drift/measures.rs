//! Distances between two distributions. All are 0 for equal ones.

use super::Aligned;

/// Shares below this count as this much in the PSI: an empty bin would make it infinite.
pub const SMALLEST_SHARE: f64 = 1e-4;

/// Every measure that the two have, by name: those of bins for every column, those of numbers where there are any.
pub fn all(aligned: &Aligned) -> Vec<(&'static str, f64)> {
    let bins = (!aligned.bins.is_empty()).then(|| [("psi", psi(&aligned.bins)), ("js", jensen_shannon(&aligned.bins))]);
    let numbers = [("ks", kolmogorov_smirnov(&aligned.numbers)), ("wasserstein", wasserstein(&aligned.numbers))];
    let numbers = numbers.into_iter().filter_map(|(name, value)| Some((name, value?)));
    bins.into_iter().flatten().chain(numbers).collect()
}

/// Population stability index over bins, Σ (qᵢ − pᵢ) ln (qᵢ / pᵢ) for shares p before and q now (Siddiqi 2006, Credit
/// Risk Scorecards): the symmetric Kullback–Leibler divergence (Jeffreys 1946). Shares below [`SMALLEST_SHARE`] count
/// as that. By convention below 0.1 is stable and above 0.25 a shift; no test stands behind these limits.
pub fn psi(shares: &[(f64, f64)]) -> f64 {
    let term = |(p, q): &(f64, f64)| {
        let (p, q) = (p.max(SMALLEST_SHARE), q.max(SMALLEST_SHARE));
        (q - p) * (q / p).ln()
    };
    shares.iter().map(term).sum()
}

/// Jensen–Shannon distance over bins, √(½ KL(p‖m) + ½ KL(q‖m)) with m = ½ (p + q) and natural logarithms (Lin 1991,
/// Endres and Schindelin 2003): between 0 and √ln 2 ≈ 0.833. Its square is the divergence. Equal to
/// `scipy.spatial.distance.jensenshannon`.
pub fn jensen_shannon(shares: &[(f64, f64)]) -> f64 {
    let divergence = |x: f64, mean: f64| if x > 0.0 { x * (x / mean).ln() } else { 0.0 };
    let term = |(p, q): &(f64, f64)| {
        let mean = 0.5 * (p + q);
        divergence(*p, mean) + divergence(*q, mean)
    };
    (0.5 * shares.iter().map(term).sum::<f64>()).max(0.0).sqrt()
}

/// Kolmogorov–Smirnov distance, the largest |F(x) − G(x)| of the two weighted distribution functions (Kolmogorov
/// 1933, Smirnov 1939): between 0 and 1. `numbers` are (value, weight before, weight now), ascending. `None` unless
/// both have weight. Equal to the statistic of `scipy.stats.ks_2samp`.
pub fn kolmogorov_smirnov(numbers: &[(f64, f64, f64)]) -> Option<f64> {
    let gaps = gaps(numbers)?;
    Some(gaps.into_iter().map(f64::abs).fold(0.0, f64::max))
}

/// Wasserstein-1 (earth mover's) distance ∫ |F(x) − G(x)| dx of the two weighted distribution functions (Vallender
/// 1974), in the unit of the values. `None` unless both have weight. Equal to `scipy.stats.wasserstein_distance`.
pub fn wasserstein(numbers: &[(f64, f64, f64)]) -> Option<f64> {
    let gaps = gaps(numbers)?;
    let widths = numbers.windows(2).map(|pair| pair[1].0 - pair[0].0);
    Some(gaps.into_iter().zip(widths).map(|(gap, width)| gap.abs() * width).sum())
}

/// F − G at each value.
fn gaps(numbers: &[(f64, f64, f64)]) -> Option<Vec<f64>> {
    let (before, now) = numbers.iter().fold((0.0, 0.0), |(a, b), (_, x, y)| (a + x, b + y));
    if before <= 0.0 || now <= 0.0 {
        return None;
    }
    let (mut below_before, mut below_now) = (0.0, 0.0);
    let gap = |(_, x, y): &(f64, f64, f64)| {
        below_before += x;
        below_now += y;
        below_before / before - below_now / now
    };
    Some(numbers.iter().map(gap).collect())
}
