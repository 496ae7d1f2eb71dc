//! Outcomes: label × decision, counted.
//!
//! Every row has one of six outcomes, its tag: `2 · label + decision`, with label 2 where there is none. Rates are
//! shares of some tags among others, so a rate is two sets of tags.

use crate::stats::intervals::Proportion;

/// Number of outcomes.
pub const TAGS: usize = 6;

/// Tag of a row; `label` is `None` where unknown.
pub fn tag(label: Option<bool>, decision: bool) -> u8 {
    2 * label.map_or(2, u8::from) + u8::from(decision)
}

/// The label that a tag stands for.
pub fn label_of(tag: u8) -> Option<bool> {
    (tag < 4).then_some(tag >= 2)
}

/// A set of outcomes, one bit per tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcomes(u8);

impl Outcomes {
    pub const TRUE_NEGATIVE: Self = Self(1 << 0);
    pub const FALSE_POSITIVE: Self = Self(1 << 1);
    pub const FALSE_NEGATIVE: Self = Self(1 << 2);
    pub const TRUE_POSITIVE: Self = Self(1 << 3);
    pub const ALL: Self = Self(0b11_1111);
    pub const LABELLED: Self = Self(0b00_1111);
    pub const POSITIVE: Self = Self(0b00_1100);
    pub const NEGATIVE: Self = Self(0b00_0011);
    /// Decided positive, labelled or not.
    pub const SELECTED: Self = Self(0b10_1010);
    pub const SELECTED_LABELLED: Self = Self(0b00_1010);
    pub const REJECTED_LABELLED: Self = Self(0b00_0101);
    pub const CORRECT: Self = Self(0b00_1001);
    pub const WRONG: Self = Self(0b00_0110);

    /// One bit per tag.
    pub fn bits(self) -> u8 {
        self.0
    }

    pub fn contains(self, tag: usize) -> bool {
        self.0 >> tag & 1 == 1
    }

    /// The same outcomes with the other class taken as positive.
    pub fn flipped(self) -> Self {
        let bit = |from: u8, to: u8| (self.0 >> from & 1) << to;
        Self(bit(0, 3) | bit(1, 2) | bit(2, 1) | bit(3, 0) | bit(4, 5) | bit(5, 4))
    }
}

/// Weight (or count) of each outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Confusion(pub [f64; TAGS]);

impl Confusion {
    /// Total over a set of outcomes.
    pub fn of(&self, outcomes: Outcomes) -> f64 {
        (0..TAGS).filter(|&tag| outcomes.contains(tag)).map(|tag| self.0[tag]).sum()
    }

    /// The same rows with the other class taken as positive.
    pub fn flipped(&self) -> Self {
        let [tn, fp, fn_, tp, rejected, selected] = self.0;
        Self([tp, fn_, fp, tn, selected, rejected])
    }
}

/// Share of the outcomes `hits` among the outcomes `of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub hits: Outcomes,
    pub of: Outcomes,
}

impl Rate {
    pub fn flipped(self) -> Self {
        Self { hits: self.hits.flipped(), of: self.of.flipped() }
    }

    /// `None` for 0 / 0.
    pub fn share(self, confusion: &Confusion) -> Option<f64> {
        let of = confusion.of(self.of);
        (of > 0.0).then(|| confusion.of(self.hits) / of)
    }
}

/// Outcomes with the evidence behind them: total weights, their squares and the numbers of rows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Evidence {
    pub weight: Confusion,
    pub squares: Confusion,
    pub count: Confusion,
}

impl Evidence {
    /// The rate as successes out of effective trials. `None` for 0 / 0.
    pub fn proportion(&self, rate: Rate) -> Option<Proportion> {
        let share = rate.share(&self.weight)?;
        let trials = self.weight.of(rate.of).powi(2) / self.squares.of(rate.of);
        Some(Proportion { successes: share * trials, trials })
    }

    /// Effective number of rows among some outcomes, (Σw)² / Σw².
    pub fn effective(&self, outcomes: Outcomes) -> f64 {
        let squares = self.squares.of(outcomes);
        if squares > 0.0 { self.weight.of(outcomes).powi(2) / squares } else { 0.0 }
    }

    /// Number of rows among some outcomes.
    pub fn rows(&self, outcomes: Outcomes) -> u64 {
        self.count.of(outcomes) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECALL: Rate = Rate { hits: Outcomes::TRUE_POSITIVE, of: Outcomes::POSITIVE };

    /// tn 50, fp 10, fn 5, tp 20, and 7 rejected and 8 selected without a label.
    const CONFUSION: Confusion = Confusion([50.0, 10.0, 5.0, 20.0, 7.0, 8.0]);

    #[test]
    fn tags_number_label_and_decision() {
        assert_eq!(tag(Some(true), true), 3);
        assert_eq!(tag(Some(false), true), 1);
        assert_eq!(tag(None, false), 4);
        assert_eq!((0..6).map(label_of).collect::<Vec<_>>()[2..5], [Some(true), Some(true), None]);
    }

    #[test]
    fn a_rate_is_hits_over_its_base() {
        assert_eq!(RECALL.share(&CONFUSION), Some(0.8));
        assert_eq!(CONFUSION.of(Outcomes::SELECTED), 38.0);
        assert_eq!(CONFUSION.of(Outcomes::ALL), 100.0);
        assert_eq!(RECALL.share(&Confusion([1.0, 1.0, 0.0, 0.0, 0.0, 0.0])), None);
    }

    #[test]
    fn flipping_the_rate_or_the_counts_is_the_same_and_twice_is_nothing() {
        assert_eq!(RECALL.flipped().share(&CONFUSION), RECALL.share(&CONFUSION.flipped()));
        assert_eq!(RECALL.flipped().share(&CONFUSION), Some(50.0 / 60.0));
        assert_eq!(CONFUSION.flipped().flipped(), CONFUSION);
        assert_eq!(Outcomes::SELECTED.flipped(), Outcomes(0b01_0101));
    }

    #[test]
    fn equal_weights_have_as_many_effective_trials_as_rows() {
        let scaled = |by: f64| Confusion(CONFUSION.0.map(|n| n * by));
        let evidence = Evidence { weight: scaled(2.5), squares: scaled(6.25), count: CONFUSION };
        let proportion = evidence.proportion(RECALL).unwrap();
        assert!((proportion.trials - 25.0).abs() < 1e-12 && (proportion.successes - 20.0).abs() < 1e-12);
        assert_eq!(evidence.rows(Outcomes::POSITIVE), 25);
    }
}
