//! Quantiles of a stream: exact while few, within 0.05 % when many.
//!
//! Up to a limit the numbers themselves are kept. Beyond it, each is counted under its leading bits: sign, exponent
//! and ten bits of the mantissa, so that a bin's middle is within 2^-11 (0.05 %) of every number in it. Both forms,
//! and the choice between them, depend on the multiset of numbers alone: merging in any order gives the same answer.

use super::Accumulator;

/// Numbers kept exactly unless another limit is asked for.
pub const EXACT_LIMIT: usize = 16_384;
/// Bits dropped from a number's 64 by the sketch: 52 − 10 bits of mantissa.
const DROPPED_BITS: u32 = 42;
/// Bins that share sign and exponent are one page.
const PAGE: usize = 1 << 10;

/// Accumulates finite numbers and answers for any quantile.
#[derive(Debug, Clone)]
pub struct Quantiles {
    limit: usize,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    Exact(Vec<f64>),
    Sketch(Sketch),
}

#[derive(Debug, Clone, Default)]
struct Sketch {
    n: u64,
    first_page: usize,
    pages: Vec<Option<Box<[u64; PAGE]>>>,
}

impl Default for Quantiles {
    fn default() -> Self {
        Self::with_limit(EXACT_LIMIT)
    }
}

impl Quantiles {
    /// Keeps up to `limit` numbers exactly.
    pub fn with_limit(limit: usize) -> Self {
        Self { limit, content: Content::Exact(Vec::new()) }
    }

    pub fn n(&self) -> u64 {
        match &self.content {
            Content::Exact(numbers) => numbers.len() as u64,
            Content::Sketch(sketch) => sketch.n,
        }
    }

    fn fold_when_many(&mut self) {
        if let Content::Exact(numbers) = &self.content
            && numbers.len() > self.limit
        {
            let mut sketch = Sketch::default();
            numbers.iter().for_each(|&x| sketch.count(bin(x), 1));
            self.content = Content::Sketch(sketch);
        }
    }
}

impl Accumulator for Quantiles {
    type Item<'a> = f64;
    type Output = Sorted;

    fn update(&mut self, x: f64) {
        match &mut self.content {
            Content::Exact(numbers) => {
                numbers.push(x);
                self.fold_when_many();
            }
            Content::Sketch(sketch) => sketch.count(bin(x), 1),
        }
    }

    fn merge(&mut self, other: Self) {
        match (&mut self.content, other.content) {
            (Content::Exact(mine), Content::Exact(theirs)) => mine.extend(theirs),
            (Content::Sketch(mine), Content::Exact(theirs)) => theirs.iter().for_each(|&x| mine.count(bin(x), 1)),
            (Content::Sketch(mine), Content::Sketch(theirs)) => theirs.bins().for_each(|(b, n)| mine.count(b, n)),
            (Content::Exact(mine), Content::Sketch(mut theirs)) => {
                mine.iter().for_each(|&x| theirs.count(bin(x), 1));
                self.content = Content::Sketch(theirs);
            }
        }
        self.fold_when_many();
    }

    fn finish(&self) -> Sorted {
        let values = match &self.content {
            Content::Exact(numbers) => {
                let mut sorted = numbers.clone();
                sorted.sort_unstable_by(f64::total_cmp);
                sorted.into_iter().map(|x| (x, 1)).collect()
            }
            Content::Sketch(sketch) => sketch.bins().map(|(bin, n)| (middle(bin), n)).collect(),
        };
        Sorted { n: self.n(), values }
    }
}

impl Sketch {
    fn count(&mut self, bin: usize, n: u64) {
        let page = bin / PAGE;
        if self.pages.is_empty() {
            self.first_page = page;
        }
        if page < self.first_page {
            self.pages.splice(0..0, std::iter::repeat_n(None, self.first_page - page));
            self.first_page = page;
        }
        let at = page - self.first_page;
        if at >= self.pages.len() {
            self.pages.resize(at + 1, None);
        }
        self.pages[at].get_or_insert_with(|| Box::new([0; PAGE]))[bin % PAGE] += n;
        self.n += n;
    }

    /// Bins that hold something, in the order of their values.
    fn bins(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.pages.iter().enumerate().flat_map(move |(at, page)| {
            let start = (self.first_page + at) * PAGE;
            let counts = page.iter().flat_map(|page| page.iter().copied().enumerate());
            counts.filter(|&(_, n)| n > 0).map(move |(i, n)| (start + i, n))
        })
    }
}

/// Bits of a number, rearranged so that integers compare as the numbers do; −0 is 0.
pub(crate) fn ordered_bits(x: f64) -> u64 {
    let bits = (x + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// Inverse of [`ordered_bits`].
pub(crate) fn from_ordered_bits(ordered: u64) -> f64 {
    f64::from_bits(if ordered >> 63 == 1 { ordered ^ 1 << 63 } else { !ordered })
}

fn bin(x: f64) -> usize {
    (ordered_bits(x) >> DROPPED_BITS) as usize
}

/// The middle of a bin; zero has a bin of its own as long as no number below 1e-308 shares it.
fn middle(bin: usize) -> f64 {
    let floor = (bin as u64) << DROPPED_BITS;
    if from_ordered_bits(floor) == 0.0 { 0.0 } else { from_ordered_bits(floor | 1 << (DROPPED_BITS - 1)) }
}

/// Numbers in order, with multiplicity.
#[derive(Debug, Clone, PartialEq)]
pub struct Sorted {
    n: u64,
    values: Vec<(f64, u64)>,
}

impl Sorted {
    /// Quantiles at ascending levels, linearly interpolated between order statistics (type 7 of Hyndman and Fan
    /// 1996, the default of NumPy and R). `None` for no numbers.
    pub fn quantiles<const N: usize>(&self, levels: [f64; N]) -> Option<[f64; N]> {
        let last = self.n.checked_sub(1)?;
        Some(levels.map(|level| {
            let position = level * last as f64;
            let below = position.floor();
            let (low, high) = (self.order_statistic(below as u64), self.order_statistic((below as u64 + 1).min(last)));
            low + (high - low) * (position - below)
        }))
    }

    fn order_statistic(&self, rank: u64) -> f64 {
        if self.n == self.values.len() as u64 {
            return self.values[rank as usize].0;
        }
        let mut seen = 0;
        for &(value, n) in &self.values {
            seen += n;
            if seen > rank {
                return value;
            }
        }
        f64::NAN
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::Stream;

    const LEVELS: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

    fn numbers(n: u64) -> Vec<f64> {
        let stream = Stream::new(4, "quantiles");
        (0..n).map(|i| stream.normal(i).powi(3)).collect()
    }

    fn accumulate(numbers: &[f64]) -> Quantiles {
        let mut quantiles = Quantiles::with_limit(1_000);
        numbers.iter().for_each(|&x| quantiles.update(x));
        quantiles
    }

    #[test]
    fn few_numbers_give_numpys_quantiles() {
        let quantiles = accumulate(&[3.0, 1.0, 2.0, 10.0]).finish().quantiles([0.0, 0.25, 0.5, 0.75, 1.0]).unwrap();
        assert_eq!(quantiles, [1.0, 1.75, 2.5, 4.75, 10.0]);
    }

    #[test]
    fn many_numbers_give_quantiles_within_a_thousandth() {
        let numbers = numbers(20_000);
        let mut exact = Quantiles::with_limit(usize::MAX);
        numbers.iter().for_each(|&x| exact.update(x));
        let exact = exact.finish().quantiles(LEVELS).unwrap();
        let sketched = accumulate(&numbers).finish().quantiles(LEVELS).unwrap();
        for (exact, sketched) in exact.iter().zip(sketched) {
            assert!((exact - sketched).abs() <= 1e-3 * exact.abs(), "{exact} {sketched}");
        }
    }

    #[test]
    fn merging_in_any_order_gives_the_same_answer() {
        for n in [900, 1_000, 1_001, 5_000] {
            let numbers = numbers(n);
            let whole = accumulate(&numbers).finish();
            for size in [1, 333, 999, 2_000] {
                let mut parts = Quantiles::with_limit(1_000);
                numbers.chunks(size).rev().for_each(|part| parts.merge(accumulate(part)));
                assert_eq!(parts.finish(), whole, "{n} in parts of {size}");
            }
        }
    }

    #[test]
    fn order_of_bits_is_order_of_numbers() {
        let ascending = [f64::MIN, -1.0, -1e-300, 0.0, 5e-324, 1e-300, 1.0, f64::MAX];
        assert!(ascending.windows(2).all(|pair| ordered_bits(pair[0]) < ordered_bits(pair[1])));
        assert!(ascending.iter().all(|&x| from_ordered_bits(ordered_bits(x)) == x));
        assert_eq!(ordered_bits(-0.0), ordered_bits(0.0));
    }

    #[test]
    fn zeros_stay_zero_and_nothing_has_no_quantile() {
        let quantiles = accumulate(&[0.0; 2_000]).finish().quantiles(LEVELS).unwrap();
        assert_eq!(quantiles, [0.0; 5]);
        assert_eq!(accumulate(&[]).finish().quantiles(LEVELS), None);
        assert_eq!(accumulate(&[7.0]).finish().quantiles(LEVELS), Some([7.0; 5]));
    }
}
